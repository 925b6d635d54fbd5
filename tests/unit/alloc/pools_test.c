// SPDX-License-Identifier: BSD-2-Clause
/* idpool and extents against plain arrays of who owns what. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"

#define SIZE 100

enum owner { FREE, USED, RETIRED };

static void test_idpool(void **state)
{
	enum owner owner[SIZE] = { FREE };
	struct idpool *pool;

	(void)state;
	srand(5);
	assert_int_equal(idpool_new(SIZE, &pool), 0);
	assert_int_equal(idpool_claim(pool, 0), -ERANGE);
	assert_int_equal(idpool_claim(pool, SIZE), -ERANGE);
	assert_int_equal(idpool_claim(pool, 17), 0);
	assert_int_equal(idpool_claim(pool, 17), -EBUSY);
	owner[17] = USED;
	for (unsigned round = 0; round < 100000; round++) {
		unsigned index = 1 + (unsigned)rand() % (SIZE - 1), available = 0;

		switch (rand() % 5) {
		case 0:
		case 1:
			index = idpool_take(pool);
			if (index) {
				assert_int_equal(owner[index], FREE);
				owner[index] = USED;
				break;
			}
			for (unsigned i = 1; i < SIZE; i++)
				assert_int_not_equal(owner[i], FREE);
			break;
		case 2:
			if (owner[index] == USED) {
				idpool_give(pool, index);
				owner[index] = FREE;
			}
			break;
		case 3:
			if (owner[index] == USED) {
				idpool_retire(pool, index);
				owner[index] = RETIRED;
			}
			break;
		default:
			if (rand() % 20)
				break;
			idpool_recycle(pool);
			for (unsigned i = 1; i < SIZE; i++)
				owner[i] = owner[i] == RETIRED ? FREE : owner[i];
		}
		for (unsigned i = 1; i < SIZE; i++)
			available += owner[i] != USED;
		assert_int_equal(idpool_available(pool), available);
	}
	idpool_free(pool);
}

/* What extents_available() says, by the units that no range in use owns. */
static void check_available(const struct extents *extents, const int *owner, const enum owner *kind)
{
	unsigned available = 0, longest = 0, run = 0, said;

	for (unsigned i = 0; i < SIZE; i++) {
		bool is_free = owner[i] < 0 || kind[owner[i]] == RETIRED;

		run = is_free ? run + 1 : 0;
		available += is_free;
		longest = run > longest ? run : longest;
	}
	assert_int_equal(extents_available(extents, &said), available);
	assert_int_equal(said, longest);
}

/* Units of the array and the start of the range that owns each; -1: nobody. */
static void test_extents(void **state)
{
	int owner[SIZE];
	enum owner kind[SIZE] = { FREE };
	struct extents *extents;
	unsigned start, refused = 0;

	(void)state;
	srand(6);
	memset(owner, -1, sizeof(owner));
	assert_int_equal(extents_new(SIZE, &extents), 0);
	assert_int_equal(extents_claim(extents, 90, 20), -ERANGE);
	assert_int_equal(extents_claim(extents, 40, 5), 0);
	assert_int_equal(extents_claim(extents, 44, 5), -EBUSY);
	assert_int_equal(extents_claim(extents, 36, 5), -EBUSY);
	assert_int_equal(extents_claim(extents, 35, 5), 0);
	extents_give(extents, 35);
	extents_give(extents, 40);
	for (unsigned round = 0; round < 100000; round++) {
		unsigned length = 1 + (unsigned)rand() % 20, run = 0, longest = 0;
		int error;

		check_available(extents, owner, kind);
		if (rand() % 2) {
			error = extents_take(extents, length, &start);
			for (unsigned i = 0; i < SIZE; i++) {
				run = owner[i] < 0 ? run + 1 : 0;
				longest = run > longest ? run : longest;
			}
			assert_int_equal(error, longest >= length ? 0 : -ENOSPC);
			refused += error != 0;
			for (unsigned i = 0; !error && i < length; i++) {
				assert_int_equal(owner[start + i], -1);
				owner[start + i] = (int)start;
				kind[start] = USED;
			}
			continue;
		}
		start = (unsigned)rand() % SIZE;
		if (rand() % 40 == 0) {
			extents_recycle(extents);
			for (unsigned i = 0; i < SIZE; i++)
				if (owner[i] >= 0 && kind[owner[i]] == RETIRED)
					owner[i] = -1;
		} else if (owner[start] == (int)start && kind[start] == USED) {
			if (rand() % 2) {
				extents_retire(extents, start);
				kind[start] = RETIRED;
				continue;
			}
			extents_give(extents, start);
			for (unsigned i = 0; i < SIZE; i++)
				owner[i] = owner[i] == (int)start ? -1 : owner[i];
		}
	}
	assert_true(refused > 100);
	extents_free(extents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idpool),
		cmocka_unit_test(test_extents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
