/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Permutations of a table's slots, and the slots of the table that are free: each
 * permutation in turn takes the first of its slots that no other has taken. For
 * lib/balance/maglev.c.
 */
#ifndef SLUICE_LIB_BALANCE_PERMUTATION_H
#define SLUICE_LIB_BALANCE_PERMUTATION_H

#include <stddef.h>
#include <stdint.h>

/* position, position + skip, ... modulo the table's size; it visits all slots, as the size is
 * prime.
 */
struct permutation {
	unsigned position; /* the slot that it looks at next */
	unsigned skip;     /* 1 to size - 1 */
	unsigned inverse;  /* of skip, modulo size; 0: not computed yet */
};

/* While most slots are free, a bit says of each whether it is. A permutation meets ever more
 * slots that are taken; towards the end it is cheaper to compute for each of the few free slots
 * when the permutation would come there.
 */
struct free_slots {
	unsigned size;
	unsigned n;           /* that are free */
	unsigned char *taken; /* a bit for each slot */
	unsigned shift;       /* 2^shift of them share a byte */
	unsigned *last;       /* the free ones, in no order; NULL: there are still many */
	uint64_t reciprocal;  /* 2^64 / size, for divisions by size */
};

/* All slots are free. size: a prime, or 1. 0 or -ENOMEM; free_slots_done() frees, also after
 * a failure.
 */
int free_slots_init(struct free_slots *slots, unsigned size);
void free_slots_done(struct free_slots *slots);

/* What the identity says: one table's permutations differ in it alone. */
struct permutation permutation_of(uint64_t identity, unsigned size);

/* Each permutation in `turns` takes its next slot that is still free, one behind the other; n is
 * at most the number of free slots.
 */
void permutations_take(struct permutation *permutations, const unsigned *turns, unsigned n,
		       struct free_slots *slots, unsigned *ret_slots);

#endif
