// SPDX-License-Identifier: BSD-2-Clause
#include "lib/balance/dealer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* A backend that has a turn at least once in this number of rounds is looked at in every round:
 * that costs no more than the heap.
 */
#define FREQUENT_ROUNDS 32

/* ---- the heap ------------------------------------------------------------ */

static uint64_t pack(uint64_t round, unsigned member)
{
	return round << 32 | member;
}

/* Moves the heap's item at this place down to where it belongs. */
static void sink(const struct dealer *dealer, size_t at)
{
	uint64_t *heap = dealer->waiting, item = heap[at];

	for (size_t child = 2 * at + 1; child < dealer->n_waiting; child = 2 * at + 1) {
		if (child + 1 < dealer->n_waiting && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= item)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = item;
}

/* The first round behind which the member is owed the turn behind those that it has had. */
static uint64_t next_round(const struct dealer *dealer, unsigned member)
{
	uint64_t weight = dealer->weights[member];
	uint64_t owed = ((uint64_t)dealer->had[member] + 1) * dealer->heaviest;

	return (owed + weight - 1) / weight - 1;
}

/* The first one that waits has its turn, and waits for the next. */
static unsigned take_first(const struct dealer *dealer)
{
	unsigned member = (unsigned)dealer->waiting[0];

	dealer->had[member]++;
	dealer->waiting[0] = pack(next_round(dealer, member), member);
	sink(dealer, 0);
	return member;
}

/* ---- all members --------------------------------------------------------- */

static void place(struct dealer *dealer, unsigned member)
{
	unsigned weight = dealer->weights[member];

	if ((uint64_t)weight * FREQUENT_ROUNDS >= dealer->heaviest)
		dealer->frequent[dealer->n_frequent++] =
			(struct dealer_frequent){ .member = member, .weight = weight };
	else if (weight)
		dealer->waiting[dealer->n_waiting++] = pack(next_round(dealer, member), member);
}

int dealer_init(struct dealer *dealer, const unsigned *weights, size_t n)
{
	*dealer = (struct dealer){ .weights = weights };
	dealer->frequent = calloc(n, sizeof(*dealer->frequent));
	dealer->waiting = calloc(n, sizeof(*dealer->waiting));
	dealer->had = calloc(n, sizeof(*dealer->had));
	if (!dealer->frequent || !dealer->waiting || !dealer->had)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (weights[i] > dealer->heaviest)
			dealer->heaviest = weights[i];
	for (size_t i = 0; i < n; i++)
		place(dealer, (unsigned)i);
	for (size_t i = dealer->n_waiting / 2; i-- > 0;)
		sink(dealer, i);
	return 0;
}

void dealer_done(struct dealer *dealer)
{
	free(dealer->frequent);
	free(dealer->waiting);
	free(dealer->had);
}

/* Whether one that waits has its turn before this member's in this round. */
static bool is_first(const struct dealer *dealer, unsigned member)
{
	return dealer->n_waiting && dealer->waiting[0] < pack(dealer->round, member);
}

/* The index of the member that has the next turn. */
static unsigned next_turn(struct dealer *dealer)
{
	for (;;) {
		struct dealer_frequent *next = &dealer->frequent[dealer->at];

		if (dealer->at == dealer->n_frequent) {
			if (is_first(dealer, UINT32_MAX))
				return take_first(dealer);
			dealer->at = 0;
			dealer->round++;
			continue;
		}
		if (is_first(dealer, next->member))
			return take_first(dealer);
		dealer->at++;
		next->owed += next->weight;
		if (next->owed < dealer->heaviest)
			continue;
		next->owed -= dealer->heaviest;
		return next->member;
	}
}

void dealer_deal(struct dealer *dealer, unsigned *ret_members, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ret_members[i] = next_turn(dealer);
}
