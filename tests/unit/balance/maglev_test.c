// SPDX-License-Identifier: BSD-2-Clause
/* Maglev's promises: balance, weights, little movement, no history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/balance/maglev.h"
#include "lib/balance/turns.h"
#include "lib/base/array.h"
#include "lib/config/config.h"
#include "sluice/hash.h"
#include "unit/base/growth.h"

#define SIZE    CONFIG_TABLE_SIZE_DEFAULT
#define MEMBERS 100
#define MANY    4000

static unsigned table[SIZE], other[SIZE];

/* n members of equal weight; values are 0 to n - 1. */
static void fill(struct maglev_member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		members[i] = (struct maglev_member){ .identity = sl_hash_mix(i + 1),
						     .weight = 1,
						     .value = (unsigned)i };
}

static void count(const unsigned *slots, unsigned *counts, size_t n)
{
	memset(counts, 0, n * sizeof(*counts));
	for (unsigned i = 0; i < SIZE; i++) {
		assert_true(slots[i] < n);
		counts[slots[i]]++;
	}
}

static void test_balance_within_one_percent(void **state)
{
	struct maglev_member members[MEMBERS];
	unsigned counts[MEMBERS];

	(void)state;
	for (size_t n = 1; n <= MEMBERS; n++) {
		double share = (double)SIZE / (double)n;

		fill(members, n);
		assert_int_equal(maglev_build(members, n, table, SIZE), 0);
		count(table, counts, n);
		for (size_t i = 0; i < n; i++) {
			assert_true(counts[i] >= share * 0.99 - 1);
			assert_true(counts[i] <= share * 1.01 + 1);
		}
	}
}

static void test_weights_within_two_percent(void **state)
{
	static const unsigned rows[][5] = {
		{ 10, 20, 30, 40, 50 },
		{ 1, 1, 1, 1, 100 },
		{ 3, 7, 11, 13, 17 },
		{ 65535, 1000, 2000, 65535, 500 },
	};
	struct maglev_member members[5];
	unsigned counts[5];

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
		double sum = 0;

		fill(members, 5);
		for (size_t i = 0; i < 5; i++)
			sum += members[i].weight = rows[row][i];
		assert_int_equal(maglev_build(members, 5, table, SIZE), 0);
		count(table, counts, 5);
		for (size_t i = 0; i < 5; i++) {
			double share = SIZE * rows[row][i] / sum;

			assert_true(counts[i] >= share * 0.98 - 1);
			assert_true(counts[i] <= share * 1.02 + 1);
		}
	}
}

/* If any backend is removed, at most its own slots and 1 % of all change. */
static void test_removal_moves_little(void **state)
{
	struct maglev_member members[MEMBERS];
	unsigned counts[MEMBERS], worst = 0;

	(void)state;
	fill(members, MEMBERS);
	assert_int_equal(maglev_build(members, MEMBERS, table, SIZE), 0);
	count(table, counts, MEMBERS);
	for (unsigned removed = 0; removed < MEMBERS; removed++) {
		unsigned moved = 0;

		fill(members, MEMBERS);
		members[removed] = members[MEMBERS - 1];
		assert_int_equal(maglev_build(members, MEMBERS - 1, other, SIZE), 0);
		for (unsigned i = 0; i < SIZE; i++)
			moved += table[i] != other[i];
		assert_true(moved >= counts[removed]);
		if (moved - counts[removed] > worst)
			worst = moved - counts[removed];
	}
	print_message("worst removal: %.2f %% of all slots beyond its own\n", 100.0 * worst / SIZE);
	assert_true(worst <= SIZE / 100);
}

static void test_order_does_not_matter(void **state)
{
	struct maglev_member members[MEMBERS], swapped;

	(void)state;
	fill(members, MEMBERS);
	for (size_t i = 0; i < MEMBERS; i++)
		members[i].weight = (unsigned)i % 7 + 1;
	assert_int_equal(maglev_build(members, MEMBERS, table, SIZE), 0);
	srand(1);
	for (size_t i = 0; i < MEMBERS; i++) {
		size_t j = (size_t)rand() % MEMBERS;

		swapped = members[i];
		members[i] = members[j];
		members[j] = swapped;
	}
	assert_int_equal(maglev_build(members, MEMBERS, other, SIZE), 0);
	assert_memory_equal(table, other, sizeof(table));
}

static void test_nobody_and_weight_zero(void **state)
{
	struct maglev_member members[3];

	(void)state;
	assert_int_equal(maglev_build(NULL, 0, table, SIZE), 0);
	for (unsigned i = 0; i < SIZE; i++)
		assert_int_equal(table[i], MAGLEV_EMPTY);
	fill(members, 3);
	members[1].weight = 0;
	assert_int_equal(maglev_build(members, 3, table, SIZE), 0);
	for (unsigned i = 0; i < SIZE; i++)
		assert_true(table[i] == 0 || table[i] == 2);
	fill(members, 1);
	members[0].weight = 0;
	assert_int_equal(maglev_build(members, 1, table, SIZE), 0);
	assert_int_equal(table[0], MAGLEV_EMPTY);
}

/* Machines that share traffic may run sluices of different age: whatever builds the
 * tables, they are these. (The hashes are those of tables that version 0.1.0 built.)
 */
static void test_tables_are_forever(void **state)
{
	static const struct {
		unsigned n, size, weights;
		uint64_t hash;
	} rows[] = {
		{ 4, 1021, 1, 0x8f6c2cc62ce4644ULL },
		{ 6, 2039, 1, 0x946a48058cb50265ULL },
		{ 100, 65537, 1, 0xf15c797f15e185f2ULL },
		{ 100, 65537, 7, 0x9dda7a0d499b2debULL },
	};
	struct maglev_member members[MEMBERS];

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
		uint64_t hash = 0;

		fill(members, rows[row].n);
		for (unsigned i = 0; i < rows[row].n; i++)
			members[i].weight = 10 * (i % rows[row].weights + 1);
		assert_int_equal(maglev_build(members, rows[row].n, table, rows[row].size), 0);
		for (unsigned i = 0; i < rows[row].size; i++)
			hash = (hash ^ table[i]) * 0x100000001b3ULL;
		assert_true(hash == rows[row].hash);
	}
}

/* The algorithm as the paper has it: each round looks at every member, and each permutation is
 * followed step by step.
 */
static void build_plainly(const struct maglev_member *members, size_t n, unsigned *slots,
			  unsigned size)
{
	uint64_t position[MEMBERS], skip[MEMBERS];
	unsigned taken = 0, heaviest = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t h = sl_hash_mix(members[i].identity);

		position[i] = h % size;
		skip[i] = sl_hash_mix(h ^ members[i].identity) % (size - 1) + 1;
		heaviest = members[i].weight > heaviest ? members[i].weight : heaviest;
	}
	memset(slots, 0xff, size * sizeof(*slots)); /* MAGLEV_EMPTY */
	for (uint64_t round = 0; taken < size; round++) {
		for (size_t i = 0; i < n && taken < size; i++) {
			if (!turns_has(round, members[i].weight, heaviest))
				continue;
			while (slots[position[i]] != MAGLEV_EMPTY)
				position[i] = (position[i] + skip[i]) % size;
			slots[position[i]] = members[i].value;
			taken++;
		}
	}
}

static void test_as_built_plainly(void **state)
{
	static const unsigned sizes[] = { 3, 5, 61, 67, 127, 1021, 8191 };
	static const unsigned heaviest[] = { 1, 2, 50, 1000, 655350 };
	struct maglev_member members[MEMBERS];

	(void)state;
	srand(3);
	for (unsigned round = 0; round < 1000; round++) {
		unsigned size = sizes[(unsigned)rand() % ARRAY_SIZE(sizes)];
		unsigned most = heaviest[(unsigned)rand() % ARRAY_SIZE(heaviest)];
		size_t n = 1 + (size_t)rand() % MEMBERS;

		fill(members, n);
		for (size_t i = 0; i < n; i++)
			members[i].weight = (unsigned)rand() % 4 ? (unsigned)rand() % 10
								 : (unsigned)rand() % most + 1;
		members[0].weight = most;
		assert_int_equal(maglev_build(members, n, table, size), 0);
		build_plainly(members, n, other, size); /* which are sorted now */
		assert_memory_equal(table, other, size * sizeof(*table));
	}
}

/* The first member of MANY has this weight, the others 1. */
static void build_with(size_t weight)
{
	struct maglev_member *members = calloc(MANY, sizeof(*members));

	fill(members, MANY);
	members[0].weight = (unsigned)weight;
	assert_int_equal(maglev_build(members, MANY, table, SIZE), 0);
	free(members);
}

/* One member has nearly all turns: the others must not be looked at in each of them, which took 80
 * times as long as a table of equal weights.
 */
static void test_uneven_weights_cost_no_more(void **state)
{
	(void)state;
	assert_true(growth_seconds(build_with, 655350) <
		    GROWTH_MAX * growth_seconds(build_with, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_balance_within_one_percent),
		cmocka_unit_test(test_weights_within_two_percent),
		cmocka_unit_test(test_removal_moves_little),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_nobody_and_weight_zero),
		cmocka_unit_test(test_tables_are_forever),
		cmocka_unit_test(test_as_built_plainly),
		cmocka_unit_test(test_uneven_weights_cost_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
