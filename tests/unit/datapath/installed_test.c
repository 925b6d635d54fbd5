// SPDX-License-Identifier: BSD-2-Clause
/* The backends of an installed service are found by key, also while there are two of one key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/datapath/state/installed.c"
#include "daemon/datapath/state/transition.c"
#include "unit/base/growth.h"

#define SIZE 2000

/* Nothing is retired here. */
void grace_watch_pool(struct grace *grace, struct idpool *pool)
{
	(void)grace;
	(void)pool;
}

/* The index is the number, so that one is known by it. */
static struct installed_backend backend_of(unsigned number)
{
	return (struct installed_backend){
		.key = { .addr.halves = { 0, number }, .port = 80 },
		.index = number + 1,
	};
}

static void add(struct installed *installed, unsigned number)
{
	struct installed_backend backend = backend_of(number);

	assert_int_equal(installed_add_backend(installed, &backend), 0);
}

static struct installed_backend *find(const struct installed *installed, unsigned number)
{
	struct installed_backend backend = backend_of(number);

	return installed_find_backend(installed, &backend.key);
}

static void done(struct installed *installed)
{
	free(installed->backends);
	free(installed->places);
}

static void test_each_is_found(void **state)
{
	struct installed installed = {};

	(void)state;
	assert_null(find(&installed, 0));
	for (unsigned i = 0; i < SIZE; i++)
		add(&installed, i);
	for (unsigned i = 0; i < SIZE; i++)
		assert_int_equal(find(&installed, i)->index, i + 1);
	assert_null(find(&installed, SIZE));
	done(&installed);
}

static void test_those_that_are_left_are_found(void **state)
{
	struct installed installed = {};
	size_t kept = 0;

	(void)state;
	for (unsigned i = 0; i < SIZE; i++)
		add(&installed, i);
	for (unsigned i = 0; i < SIZE; i++)
		if (i % 3)
			installed.backends[kept++] = installed.backends[i];
	installed.n_backends = kept;
	installed_find_places(&installed);
	for (unsigned i = 0; i < SIZE; i++) {
		if (i % 3)
			assert_int_equal(find(&installed, i)->index, i + 1);
		else
			assert_null(find(&installed, i));
	}
	done(&installed);
}

static void test_twins_come_in_their_order(void **state)
{
	struct installed installed = {};

	(void)state;
	for (unsigned i = 0; i < SIZE; i++)
		add(&installed, i % (SIZE / 2));
	for (unsigned i = 0; i < SIZE / 2; i++) {
		struct installed_backend *first = find(&installed, i), *second;

		assert_ptr_equal(first, &installed.backends[i]);
		second = installed_next_backend(&installed, first);
		assert_ptr_equal(second, &installed.backends[i + SIZE / 2]);
		assert_null(installed_next_backend(&installed, second));
	}
	done(&installed);
}

static void add_and_find(size_t size)
{
	struct installed installed = {};

	for (unsigned i = 0; i < size; i++)
		add(&installed, i);
	for (unsigned i = 0; i < size; i++)
		assert_non_null(find(&installed, i));
	done(&installed);
}

static void test_finding_all_is_not_quadratic(void **state)
{
	(void)state;
	assert_true(growth_of(add_and_find, 8 * SIZE) < GROWTH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
		cmocka_unit_test(test_those_that_are_left_are_found),
		cmocka_unit_test(test_twins_come_in_their_order),
		cmocka_unit_test(test_finding_all_is_not_quadratic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
