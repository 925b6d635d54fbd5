// SPDX-License-Identifier: BSD-2-Clause
#include "lib/balance/permutation.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sluice/hash.h"

/* In a larger table eight slots share a byte, so that the CPU's cache holds more of them; a byte
 * of its own is quicker while all of it is near.
 */
#define BYTE_EACH_MAX (1 << 18)

typedef unsigned __int128 wide;

int free_slots_init(struct free_slots *slots, unsigned size)
{
	*slots = (struct free_slots){
		.size = size,
		.n = size,
		.reciprocal = UINT64_MAX / size,
		.shift = size > BYTE_EACH_MAX ? 3 : 0,
	};
	slots->taken = calloc((size >> slots->shift) + 1, sizeof(*slots->taken));
	return slots->taken ? 0 : -ENOMEM;
}

void free_slots_done(struct free_slots *slots)
{
	free(slots->taken);
	free(slots->last);
}

struct permutation permutation_of(uint64_t identity, unsigned size)
{
	uint64_t h = sl_hash_mix(identity);

	return (struct permutation){
		.position = (unsigned)(h % size),
		.skip = size > 2 ? (unsigned)(sl_hash_mix(h ^ identity) % (size - 1)) + 1 : 1,
	};
}

static unsigned bit_of(const struct free_slots *slots, unsigned slot)
{
	return slot & ((1U << slots->shift) - 1);
}

static bool is_taken(const struct free_slots *slots, unsigned slot)
{
	return slots->taken[slot >> slots->shift] >> bit_of(slots, slot) & 1;
}

static void mark_taken(struct free_slots *slots, unsigned slot)
{
	slots->taken[slot >> slots->shift] |= (unsigned char)(1U << bit_of(slots, slot));
}

/* a * b modulo the size, both below it. The reciprocal gives the quotient, or one less. */
static unsigned multiply(const struct free_slots *slots, unsigned a, unsigned b)
{
	uint64_t product = (uint64_t)a * b;
	uint64_t quotient = (uint64_t)((wide)product * slots->reciprocal >> 64);
	uint64_t rest = product - quotient * slots->size;

	return (unsigned)(rest < slots->size ? rest : rest - slots->size);
}

static unsigned add(const struct free_slots *slots, unsigned a, unsigned b)
{
	unsigned sum = a + b;

	return sum < slots->size ? sum : sum - slots->size;
}

/* By Euclid's algorithm: size is prime, so there is one. */
static unsigned invert(unsigned number, unsigned size)
{
	int64_t rest = size, divisor = number, before = 0, inverse = 1;

	while (divisor > 1) {
		int64_t quotient = rest / divisor, next = rest % divisor;

		rest = divisor;
		divisor = next;
		next = before - quotient * inverse;
		before = inverse;
		inverse = next;
	}
	return (unsigned)(inverse < 0 ? inverse + size : inverse);
}

/* ---- many are free ------------------------------------------------------- */

static unsigned take_of_many(struct permutation *permutation, struct free_slots *slots)
{
	unsigned slot;

	do {
		slot = permutation->position;
		permutation->position = add(slots, slot, permutation->skip);
	} while (is_taken(slots, slot));
	mark_taken(slots, slot);
	return slot;
}

/* ---- few are free -------------------------------------------------------- */

/* Without memory for the list it goes on without one. */
static void list_last(struct free_slots *slots)
{
	unsigned *last = malloc(slots->n * sizeof(*last));
	size_t n = 0;

	for (unsigned slot = 0; last && slot < slots->size; slot++)
		if (!is_taken(slots, slot))
			last[n++] = slot;
	slots->last = last;
}

/* Step `i` of the permutation is at position + i * skip; for each free slot that gives i. */
static unsigned take_of_last(struct permutation *permutation, struct free_slots *slots)
{
	unsigned first_step = slots->size, first = 0, offset, slot;

	if (!permutation->inverse)
		permutation->inverse = invert(permutation->skip, slots->size);
	offset = slots->size - permutation->position;
	for (unsigned i = 0; i < slots->n; i++) {
		unsigned step =
			multiply(slots, add(slots, slots->last[i], offset), permutation->inverse);

		if (step < first_step) {
			first_step = step;
			first = i;
		}
	}
	slot = slots->last[first];
	slots->last[first] = slots->last[slots->n - 1];
	permutation->position = add(slots, slot, permutation->skip);
	return slot;
}

/* ---- both ---------------------------------------------------------------- */

/* One of n free slots is met after size / n steps, each of half the work that the computation
 * for a free slot is.
 */
static bool are_few(const struct free_slots *slots)
{
	return 2ULL * slots->n * slots->n <= slots->size;
}

static unsigned take(struct permutation *permutation, struct free_slots *slots)
{
	unsigned slot;

	if (!slots->last && are_few(slots))
		list_last(slots);
	slot = slots->last ? take_of_last(permutation, slots) : take_of_many(permutation, slots);
	slots->n--;
	return slot;
}

void permutations_take(struct permutation *permutations, const unsigned *turns, unsigned n,
		       struct free_slots *slots, unsigned *ret_slots)
{
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(&slots->taken[permutations[turns[i]].position >> slots->shift],
				   1);
	for (unsigned i = 0; i < n; i++)
		ret_slots[i] = take(&permutations[turns[i]], slots);
}
