/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ranges of an array, handed out first fit and taken back; the ranges of
 * tables in sl_slots. Retiring and recycling mean what they mean in alloc/idpool.h.
 */
#ifndef SLUICE_LIB_ALLOC_EXTENTS_H
#define SLUICE_LIB_ALLOC_EXTENTS_H

struct extents;

int extents_new(unsigned size, struct extents **ret_extents);
void extents_free(struct extents *extents);

/* 0, or -ENOSPC: no gap is long enough (extents_recycle() may make one). */
int extents_take(struct extents *extents, unsigned length, unsigned *ret_start);

/* How much is free or retired; *ret_longest: in one piece. */
unsigned extents_available(const struct extents *extents, unsigned *ret_longest);

/* Takes this very range. 0, -EBUSY where it overlaps one in use, -ERANGE. */
int extents_claim(struct extents *extents, unsigned start, unsigned length);

/* start is one that was taken or claimed. */
void extents_give(struct extents *extents, unsigned start);
void extents_retire(struct extents *extents, unsigned start);
void extents_recycle(struct extents *extents);

#endif
