/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Indices of a map, handed out and taken back. An index that packets could
 * still reach is retired: it is handed out again only after idpool_recycle(),
 * which the owner calls when a grace period has passed. Index 0 is never
 * handed out.
 */
#ifndef SLUICE_LIB_ALLOC_IDPOOL_H
#define SLUICE_LIB_ALLOC_IDPOOL_H

struct idpool;

/* Indices 1 to size - 1. 0 or -ENOMEM. */
int idpool_new(unsigned size, struct idpool **ret_pool);
void idpool_free(struct idpool *pool);

/* An index, or 0: there is none (but idpool_recycle() may find some). */
unsigned idpool_take(struct idpool *pool);

/* Takes this very index: it is in use already. Only before anything else has
 * been taken. 0 or -EBUSY, -ERANGE.
 */
int idpool_claim(struct idpool *pool, unsigned index);

/* For an index that no packet has ever been able to reach: at once free. */
void idpool_give(struct idpool *pool, unsigned index);

void idpool_retire(struct idpool *pool, unsigned index);
void idpool_recycle(struct idpool *pool);

/* Free and retired ones. */
unsigned idpool_available(const struct idpool *pool);

#endif
