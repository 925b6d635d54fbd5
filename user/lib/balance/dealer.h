/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Turns of members, in proportion to their weights: the heaviest has a turn in every round, and
 * any other in the rounds that turns.h says. Members of a round have their turns in their order.
 * For lib/balance/maglev.c.
 */
#ifndef SLUICE_LIB_BALANCE_DEALER_H
#define SLUICE_LIB_BALANCE_DEALER_H

#include <stddef.h>
#include <stdint.h>

/* A member that is looked at in every round. */
struct dealer_frequent {
	unsigned member, weight;
	unsigned owed; /* of a turn: in parts of the heaviest weight */
};

/* The members that have few turns wait for them in a heap, so that a round costs no more than
 * its turns, whatever the weights are.
 */
struct dealer {
	const unsigned *weights; /* by member */
	unsigned heaviest;
	struct dealer_frequent *frequent; /* in the order of the members */
	size_t n_frequent;
	uint64_t *waiting; /* a heap: the round of the next turn, and the member */
	size_t n_waiting;
	unsigned *had; /* by member, of those that wait: the turns that it has had */
	uint64_t round;
	size_t at; /* index into frequent: who is looked at next in this round */
};

/* The weights of n members are borrowed, and one of them at least is not 0. 0 or -ENOMEM;
 * dealer_done() frees, also after a failure.
 */
int dealer_init(struct dealer *dealer, const unsigned *weights, size_t n);
void dealer_done(struct dealer *dealer);

/* The members that have the next n turns, as their indices. */
void dealer_deal(struct dealer *dealer, unsigned *ret_members, unsigned n);

#endif
