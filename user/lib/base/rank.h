/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first few of many, in order, without sorting all: a heap of the best ones
 * seen so far, its root the worst of them. Pure.
 */
#ifndef SLUICE_LIB_BASE_RANK_H
#define SLUICE_LIB_BASE_RANK_H

#include <stddef.h>

/* Below 0: a comes before b. */
typedef int view_rank_fn(const void *a, const void *b);

/* Made by the caller with n = 0; items has room for max. */
struct view_rank {
	view_rank_fn *compare;
	const void **items;
	size_t n, max;
	size_t left_out; /* offered, and not among the first max */
};

void view_rank_offer(struct view_rank *rank, const void *item);

/* Brings items into their order; nothing can be offered afterwards. */
void view_rank_sort(struct view_rank *rank);

#endif
