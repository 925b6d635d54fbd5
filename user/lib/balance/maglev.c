// SPDX-License-Identifier: BSD-2-Clause
#include "lib/balance/maglev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "sluice/hash.h"

/* A member's permutation of the slots: position, position + skip, ... modulo
 * size; it visits all of them, as size is prime.
 */
struct permutation {
	unsigned position;
	unsigned skip;
	uint64_t owed; /* of a turn: in parts of the heaviest weight */
};

static int compare_identity(const void *left, const void *right)
{
	const struct maglev_member *a = left, *b = right;

	if (a->identity != b->identity)
		return a->identity < b->identity ? -1 : 1;
	return (a->rank > b->rank) - (a->rank < b->rank);
}

static struct permutation permutation_of(uint64_t identity, unsigned size)
{
	uint64_t h = sl_hash_mix(identity);

	return (struct permutation){
		.position = (unsigned)(h % size),
		.skip = size > 2 ? (unsigned)(sl_hash_mix(h ^ identity) % (size - 1)) + 1 : 1,
	};
}

/* Takes the next slot of the permutation that is still free. There is one. */
static void take_slot(struct permutation *next, unsigned *table, unsigned size, unsigned value)
{
	unsigned slot;

	do {
		slot = next->position;
		next->position += next->skip;
		if (next->position >= size)
			next->position -= size;
	} while (table[slot] != MAGLEV_EMPTY);
	table[slot] = value;
}

/* turns_has() of round after round, without its divisions. */
static bool has_turn(struct permutation *next, unsigned weight, unsigned heaviest)
{
	next->owed += weight;
	if (next->owed < heaviest)
		return false;
	next->owed -= heaviest;
	return true;
}

/* Deals turns until all slots are taken. */
static void deal_slots(const struct maglev_member *members, struct permutation *next, size_t n,
		       unsigned heaviest, unsigned *table, unsigned size)
{
	unsigned taken = 0;

	for (;;) {
		for (size_t i = 0; i < n; i++) {
			if (!has_turn(&next[i], members[i].weight, heaviest))
				continue;
			take_slot(&next[i], table, size, members[i].value);
			if (++taken == size)
				return;
		}
	}
}

int maglev_build(struct maglev_member *members, size_t n, unsigned *table, unsigned size)
{
	_cleanup_(cleanup_free) struct permutation *next = NULL;
	unsigned heaviest = 0;

	for (unsigned i = 0; i < size; i++)
		table[i] = MAGLEV_EMPTY;
	for (size_t i = 0; i < n; i++)
		if (members[i].weight > heaviest)
			heaviest = members[i].weight;
	if (!heaviest || !size)
		return 0;

	next = calloc(n, sizeof(*next));
	if (!next)
		return -ENOMEM;
	qsort(members, n, sizeof(*members), compare_identity);
	for (size_t i = 0; i < n; i++)
		next[i] = permutation_of(members[i].identity, size);
	deal_slots(members, next, n, heaviest, table, size);
	return 0;
}
