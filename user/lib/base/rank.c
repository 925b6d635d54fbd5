/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first few of many. Invariant: no item of the heap comes after the one
 * above it. (J. W. J. Williams, Algorithm 232: Heapsort, CACM 7(6), 1964.)
 */
#include "lib/base/rank.h"

#include <stdbool.h>

static bool is_after(const struct view_rank *rank, size_t a, size_t b)
{
	return rank->compare(rank->items[a], rank->items[b]) > 0;
}

static void swap(struct view_rank *rank, size_t a, size_t b)
{
	const void *item = rank->items[a];

	rank->items[a] = rank->items[b];
	rank->items[b] = item;
}

static void sift_up(struct view_rank *rank, size_t i)
{
	for (; i && is_after(rank, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(rank, i, (i - 1) / 2);
}

static void sift_down(struct view_rank *rank, size_t n)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_after(rank, child + 1, child))
			child++;
		if (!is_after(rank, child, i))
			return;
		swap(rank, i, child);
	}
}

void view_rank_offer(struct view_rank *rank, const void *item)
{
	if (rank->n < rank->max) {
		rank->items[rank->n] = item;
		sift_up(rank, rank->n++);
		return;
	}
	rank->left_out++;
	if (!rank->max || rank->compare(item, rank->items[0]) >= 0)
		return;
	rank->items[0] = item;
	sift_down(rank, rank->n);
}

void view_rank_sort(struct view_rank *rank)
{
	for (size_t n = rank->n; n > 1; n--) {
		swap(rank, 0, n - 1);
		sift_down(rank, n - 1);
	}
}
