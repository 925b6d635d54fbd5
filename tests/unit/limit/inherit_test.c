// SPDX-License-Identifier: BSD-2-Clause
/* A limit in the place of another: whose id, and what is owed from then on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/limit/inherit.h"
#include "sluice/gcra.h"
#include "sluice/second.h"
#include "unit/limit/limits.h"

#define SECOND 1000000000ULL
#define NOW_NS (5 * SECOND)
#define OLD_ID 7
#define NEW_ID 8
#define NUMBER 3

static struct sl_limit running(struct rate rate, unsigned long long burst)
{
	struct sl_limit limit = token_bucket(SL_COUNT_PACKETS, rate, burst);

	limit.id = OLD_ID;
	limit.number = NUMBER;
	return limit;
}

static void another_kind_does_not_go_on(void **state)
{
	struct sl_limit old = token_bucket(SL_COUNT_PACKETS, (struct rate){ 100, 1 }, 100);
	struct sl_limit fixed = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 100, 1 });
	struct sl_limit same = token_bucket(SL_COUNT_PACKETS, (struct rate){ 7, 60 }, 5);
	struct sl_limit bytes = token_bucket(SL_COUNT_BYTES, (struct rate){ 100, 1 }, 9000);
	struct sl_limit wider = old, total = old;

	(void)state;
	wider.prefix_v4 = 24;
	total.flags |= SL_LIMIT_PER_SERVICE;
	assert_true(limit_same_kind(&old, &same));
	assert_false(limit_same_kind(&old, &fixed));
	assert_false(limit_same_kind(&old, &bytes));
	assert_false(limit_same_kind(&old, &wider));
	assert_false(limit_same_kind(&old, &total));
}

static void the_same_rate_and_a_larger_burst_keep_the_buckets(void **state)
{
	struct sl_limit old = running((struct rate){ 100, 1 }, 100);
	struct sl_limit limit = token_bucket(SL_COUNT_PACKETS, (struct rate){ 100, 1 }, 200);

	(void)state;
	old.replaced = 5;
	old.replaced_until = 99;
	old.replaced_interval = 1234;
	assert_false(limit_inherit(&old, NEW_ID, 10, &limit));
	assert_int_equal(limit.id, OLD_ID);
	assert_int_equal(limit.number, NUMBER);
	assert_int_equal(limit.replaced, 5);
	assert_int_equal(limit.replaced_until, 99);
	assert_int_equal(limit.replaced_interval, 1234);
}

static void another_rate_takes_the_new_id_and_knows_the_old_one(void **state)
{
	/* 60 s until a bucket is full again: about 56 of the program's seconds. */
	struct sl_limit old = running((struct rate){ 1, 1 }, 60);
	struct sl_limit limit = token_bucket(SL_COUNT_PACKETS, (struct rate){ 10, 1 }, 60);
	unsigned long long paid = sl_second(60 * SECOND);

	(void)state;
	assert_true(limit_inherit(&old, NEW_ID, 10, &limit));
	assert_int_equal(limit.id, NEW_ID);
	assert_int_equal(limit.number, NUMBER);
	assert_int_equal(limit.replaced, OLD_ID);
	assert_int_equal(limit.replaced_interval, sl_ticks(SECOND));
	assert_true(limit.replaced_until > 10 + paid && limit.replaced_until <= 10 + paid + 2);
}

static void a_smaller_burst_takes_the_new_id(void **state)
{
	struct sl_limit old = running((struct rate){ 100, 1 }, 100);
	struct sl_limit limit = token_bucket(SL_COUNT_PACKETS, (struct rate){ 100, 1 }, 50);

	(void)state;
	assert_true(limit_inherit(&old, NEW_ID, 10, &limit));
	assert_int_equal(limit.replaced, OLD_ID);
}

static void a_window_of_another_length_begins_anew(void **state)
{
	struct sl_limit old = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 100, 1 });
	struct sl_limit limit = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 100, 60 });
	const struct sl_bucket total = { .state = { 1, 2, 3 }, .refused = 9, .over = 4 };
	struct sl_bucket next;

	(void)state;
	old.id = OLD_ID;
	assert_true(limit_inherit(&old, NEW_ID, 10, &limit));
	assert_int_equal(limit.replaced, 0);
	next = limit_inherit_total(&old, &limit, &total, sl_ticks(NOW_NS));
	assert_int_equal(next.state[0], 0);
	assert_int_equal(next.state[2], 0);
	assert_int_equal(next.refused, 9);
	assert_int_equal(next.over, 4);
}

static void a_window_that_admits_more_goes_on(void **state)
{
	struct sl_limit old = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 100, 1 });
	struct sl_limit limit = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 500, 1 });
	const struct sl_bucket total = { .state = { 77 } };

	(void)state;
	old.id = OLD_ID;
	assert_false(limit_inherit(&old, NEW_ID, 10, &limit));
	assert_int_equal(limit_inherit_total(&old, &limit, &total, sl_ticks(NOW_NS)).state[0], 77);
}

static void a_total_owes_as_many_units_at_the_new_rate(void **state)
{
	struct sl_limit old = running((struct rate){ 10, 1 }, 100);
	struct sl_limit limit = token_bucket(SL_COUNT_PACKETS, (struct rate){ 1000, 1 }, 100);
	__u64 now = sl_ticks(NOW_NS);
	const struct sl_bucket total = { .state = { now + sl_ticks(4 * SECOND) } };
	struct sl_bucket next;

	(void)state;
	assert_int_equal(limit_state(&old, &total, now).remaining, 60);
	assert_true(limit_inherit(&old, NEW_ID, 10, &limit));
	next = limit_inherit_total(&old, &limit, &total, now);
	assert_int_equal(limit_state(&limit, &next, now).remaining, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_kind_does_not_go_on),
		cmocka_unit_test(the_same_rate_and_a_larger_burst_keep_the_buckets),
		cmocka_unit_test(another_rate_takes_the_new_id_and_knows_the_old_one),
		cmocka_unit_test(a_smaller_burst_takes_the_new_id),
		cmocka_unit_test(a_window_of_another_length_begins_anew),
		cmocka_unit_test(a_window_that_admits_more_goes_on),
		cmocka_unit_test(a_total_owes_as_many_units_at_the_new_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
