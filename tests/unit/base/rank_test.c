/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first few of many, against sorting all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/base/rank.h"
#include "unit/base/random.h"

#define SEED 7ULL
#define MOST 300

static int compare(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return left < right ? -1 : left > right;
}

static void check(const int *values, size_t n, size_t max)
{
	const void *items[MOST + 1];
	struct view_rank rank = { .compare = compare, .items = items, .max = max };
	size_t kept = n < max ? n : max;
	int sorted[MOST];

	items[max] = &rank; /* a guard: nothing is written there */
	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++)
		view_rank_offer(&rank, &values[i]);
	view_rank_sort(&rank);
	assert_int_equal(rank.n, kept);
	assert_int_equal(rank.left_out, n - kept);
	for (size_t i = 0; i < kept; i++)
		assert_int_equal(*(const int *)items[i], sorted[i]);
	assert_ptr_equal(items[max], &rank);
}

static void test_the_first_few_are_those_of_all_sorted(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 7, 50, 299, 300 };
	uint64_t random = SEED;
	int values[MOST];

	(void)state;
	for (size_t n = 0; n <= MOST; n += n < 20 ? 1 : 35) {
		/* Of few values, so that many are equal; of many; and already in an order. */
		for (int kind = 0; kind < 4; kind++) {
			for (size_t i = 0; i < n; i++)
				values[i] = kind == 0   ? (int)random_below(&random, 5)
					    : kind == 1 ? (int)random_below(&random, 1000000)
					    : kind == 2 ? (int)i
							: -(int)i;
			for (size_t k = 0; k < ARRAY_SIZE(sizes); k++)
				check(values, n, sizes[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_few_are_those_of_all_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
