// SPDX-License-Identifier: BSD-2-Clause
#include "lib/balance/maglev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/balance/dealer.h"
#include "lib/balance/permutation.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

#define TURNS_AT_ONCE 64

static int compare_identity(const void *left, const void *right)
{
	const struct maglev_member *a = left, *b = right;

	yield_point();
	if (a->identity != b->identity)
		return a->identity < b->identity ? -1 : 1;
	return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Deals turns until all slots are taken: some of them together, so that the CPU fetches the
 * memory of several slots at once.
 */
static void deal_slots(const struct maglev_member *members, struct dealer *dealer,
		       struct permutation *next, struct free_slots *slots, unsigned *table)
{
	unsigned turns[TURNS_AT_ONCE], taken[TURNS_AT_ONCE];

	while (slots->n) {
		unsigned n = slots->n < TURNS_AT_ONCE ? slots->n : TURNS_AT_ONCE;

		dealer_deal(dealer, turns, n);
		permutations_take(next, turns, n, slots, taken);
		for (unsigned i = 0; i < n; i++)
			__builtin_prefetch(&table[taken[i]], 1);
		for (unsigned i = 0; i < n; i++)
			table[taken[i]] = members[turns[i]].value;
		yield_after(n); /* each may be the first to touch a page */
	}
}

static bool has_weight(const struct maglev_member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (members[i].weight)
			return true;
	return false;
}

int maglev_build(struct maglev_member *members, size_t n, unsigned *table, unsigned size)
{
	_cleanup_(dealer_done) struct dealer dealer = {};
	_cleanup_(free_slots_done) struct free_slots slots = {};
	_cleanup_(cleanup_free) struct permutation *next = NULL;
	_cleanup_(cleanup_free) unsigned *weights = NULL;

	if (!has_weight(members, n) || !size) {
		for (unsigned i = 0; i < size; i++)
			table[i] = MAGLEV_EMPTY;
		return 0;
	}
	qsort(members, n, sizeof(*members), compare_identity);
	next = calloc(n, sizeof(*next));
	weights = calloc(n, sizeof(*weights));
	if (!next || !weights)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		next[i] = permutation_of(members[i].identity, size);
		weights[i] = members[i].weight;
		yield_point();
	}
	if (dealer_init(&dealer, weights, n) || free_slots_init(&slots, size))
		return -ENOMEM;
	deal_slots(members, &dealer, next, &slots, table);
	return 0;
}
