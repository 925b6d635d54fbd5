// SPDX-License-Identifier: BSD-2-Clause
/* GCRA against a token bucket written as one: tokens, filled by time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "sluice/gcra.h"
#include "unit/base/random.h"

#define SECOND 1000000000ULL

/* Whole ticks per unit: the token bucket is then exact too. */
static struct sl_limit limit_of(uint64_t per_second, uint64_t burst)
{
	uint64_t interval = sl_ticks(SECOND) / per_second;

	return (struct sl_limit){ .rate = { interval, burst * interval } };
}

/* In ticks of the same length, so that both are exact: a token is an interval. */
struct bucket {
	uint64_t level, capacity, at;
};

static int bucket_admit(struct bucket *bucket, uint64_t cost, uint64_t now)
{
	bucket->level += now - bucket->at;
	if (bucket->level > bucket->capacity)
		bucket->level = bucket->capacity;
	bucket->at = now;
	if (bucket->level < cost)
		return 0;
	bucket->level -= cost;
	return 1;
}

/* The same arrivals, a burst at first, then random gaps around the interval; each of
 * up to `most` units.
 */
static unsigned compare(const struct sl_limit *limit, unsigned most, uint64_t start,
			uint64_t *random)
{
	uint64_t interval = limit->rate.interval, depth = limit->rate.depth;
	struct bucket bucket = { depth, depth, start };
	__u64 now = start, tat = 0;
	unsigned admitted = 0;

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t cost = sl_limit_cost(limit, 1 + random_below(random, most));
		int expected = bucket_admit(&bucket, cost, now);

		assert_int_equal(sl_gcra_admit(depth, cost, tat, now, &tat), expected);
		admitted += (unsigned)expected;
		if (i > 2 * depth / interval)
			now += random_next(random) % (most * interval);
	}
	return admitted;
}

static void test_admits_what_a_token_bucket_admits(void **state)
{
	static const uint64_t bursts[] = { 1, 2, 5, 100, 5000 };
	static const uint64_t rates[] = { 1, 10, 1000, 1000000, 100000000 };
	/* The last two: a machine that is up for half of the time in which ticks wrap. */
	static const uint64_t starts[] = { 12345, (1ULL << 63) - 1, (1ULL << 63) + 12345 };
	uint64_t random = 7;

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(bursts); b++)
		for (size_t r = 0; r < ARRAY_SIZE(rates); r++)
			for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
				struct sl_limit limit = limit_of(rates[r], bursts[b]);
				unsigned most = bursts[b] > 10 ? 9 : 1;
				unsigned admitted = compare(&limit, most, starts[s], &random);

				assert_in_range(admitted, 1000, 19000);
			}
}

static void test_burst_then_rate(void **state)
{
	struct sl_limit limit = limit_of(1000, 50);
	__u64 tat = 0, start = sl_ticks(5 * SECOND), now;
	unsigned admitted = 0;

	(void)state;
	/* 1 000 000 packets in 10 s, a hundred times too many. */
	for (unsigned i = 0; i < 1000000; i++) {
		now = start + i * sl_ticks(10 * SECOND) / 1000000;
		admitted += (unsigned)sl_gcra_admit(limit.rate.depth, limit.rate.interval, tat, now,
						    &tat);
	}
	assert_in_range(admitted, 10000 + 50 - 1, 10000 + 50);
}

static void test_refusal_leaves_the_state_alone(void **state)
{
	struct sl_limit limit = limit_of(10, 1);
	__u64 depth = limit.rate.depth, cost = limit.rate.interval;
	__u64 tat = 0, next = 99;

	(void)state;
	assert_true(sl_gcra_admit(depth, cost, tat, 1000, &tat));
	assert_false(sl_gcra_admit(depth, cost, tat, 1001, &next));
	assert_int_equal(next, 99);
	assert_false(sl_gcra_admit(depth, cost, tat, tat - 1, &next));
	assert_true(sl_gcra_admit(depth, cost, tat, tat, &next));
}

/* The clock in ticks wraps after 2.2 years: nobody is locked out by it. */
static void test_wrap_of_the_clock(void **state)
{
	struct sl_limit limit = limit_of(1000, 3);
	__u64 depth = limit.rate.depth, cost = limit.rate.interval;
	__u64 now = UINT64_MAX - cost / 2, tat = now;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(sl_gcra_admit(depth, cost, tat, now, &tat));
	assert_false(sl_gcra_admit(depth, cost, tat, now, &tat));
	assert_true(sl_gcra_admit(depth, cost, tat, now + cost, &tat));
}

/* What nobody has used is full, whenever it is found. */
static void test_a_new_bucket_is_full_at_any_time(void **state)
{
	struct sl_limit limit = limit_of(1000, 3);
	__u64 tat;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		__u64 now = 1ULL << bit | 5;

		assert_true(sl_gcra_admit(limit.rate.depth, limit.rate.depth, 0, now, &tat));
		assert_int_equal(tat, now + limit.rate.depth);
		assert_int_equal(sl_gcra_base(0, now), now);
	}
}

#define DAY        (86400 * SECOND)
#define WRAP_DAYS  834 /* of ticks */
#define AHEAD_DAYS 53  /* SL_TICKS_AHEAD */

/* A bucket that was empty at any point of the clock's circle is full again as soon as its burst is
 * paid, and for as long as the clock takes to come round.
 */
static void test_an_idle_bucket_is_full_through_every_wrap(void **state)
{
	struct sl_limit limit = limit_of(1000, 30);
	__u64 depth = limit.rate.depth;

	(void)state;
	for (unsigned part = 0; part < 64; part++) {
		const __u64 then = (__u64)part << 58 | 77, tat = then + depth;
		__u64 next;

		assert_false(sl_gcra_admit(depth, limit.rate.interval, tat, then, &next));
		assert_true(sl_gcra_admit(depth, depth, tat, tat, &next));
		for (unsigned days = 1; days < WRAP_DAYS; days++) {
			const __u64 now = then + sl_ticks(days * DAY);

			assert_true(sl_gcra_admit(depth, depth, tat, now, &next));
			assert_int_equal(next, now + depth);
		}
	}
}

/* The same of a cell of the gate, of an earlier generation's bucket, and of a route. */
static void test_what_is_past_stays_past_through_every_wrap(void **state)
{
	const __u64 second = sl_ticks(SECOND);

	(void)state;
	for (unsigned part = 0; part < 64; part++) {
		const __u64 then = (__u64)part << 58 | 77;

		assert_int_equal(sl_gcra_base(then + second, then), then + second);
		assert_int_equal(sl_ticks_ahead(then + second, then, second), second);
		assert_int_equal(sl_ticks_ahead(then + second, then + second, second), 0);
		for (unsigned days = 1; days < WRAP_DAYS; days++) {
			const __u64 now = then + sl_ticks(days * DAY);

			assert_int_equal(sl_ticks_ahead(then + second, now, second), 0);
			if (days < WRAP_DAYS - AHEAD_DAYS)
				assert_int_equal(sl_gcra_base(then + second, now), now);
		}
	}
}

/* Deep buckets: what they owe is as far ahead as they are deep. */
static void test_a_deep_bucket_keeps_its_debts(void **state)
{
	(void)state;
	for (unsigned bits = 20; bits <= 62; bits++) {
		const __u64 depth = 1ULL << bits, now = ~0ULL - depth / 2;
		__u64 tat = now + depth, next;

		assert_false(sl_gcra_admit(depth, 1, tat, now, &next));
		/* Other CPUs have charged it at once. */
		assert_false(sl_gcra_admit(depth, 1, tat + depth / 2, now, &next));
	}
}

/* Ticks of a unit in fractions: what a packet costs is cut to whole ones, no more. */
static void test_cost_in_fractions(void **state)
{
	/* 5.12 ticks: a byte at 400 Gbit/s */
	struct sl_limit limit = { .rate.interval = 85899346, .shift = 24 };

	(void)state;
	assert_int_equal(sl_limit_cost(&limit, 0), 0);
	assert_int_equal(sl_limit_cost(&limit, 1), 5);
	assert_int_equal(sl_limit_cost(&limit, 64), 327);
	assert_int_equal(sl_limit_cost(&limit, 1500), 7680);
	assert_int_equal(sl_limit_cost(&limit, 65535), 335539);
}

/* A changed rate: as many units are owed as before. */
static void test_convert_keeps_what_is_owed(void **state)
{
	struct sl_limit limit = limit_of(1000, 100);
	uint64_t interval = limit.rate.interval;
	const __u64 now = sl_ticks(1000 * SECOND);

	(void)state;
	limit.replaced_interval = 10 * interval; /* it was 100/s */
	assert_int_equal(sl_gcra_convert(&limit, 0, now), now);
	assert_int_equal(sl_gcra_convert(&limit, now - 5, now), now);
	assert_int_equal(sl_gcra_convert(&limit, now + 30 * 10 * interval, now),
			 now + 30 * interval);
	/* More than the new bucket holds: it is empty, and no more is owed. */
	assert_int_equal(sl_gcra_convert(&limit, now + 300 * 10 * interval, now),
			 now + 100 * interval);
	limit.shift = 3;
	limit.rate.interval = interval << 3;
	assert_int_equal(sl_gcra_convert(&limit, now + 30 * 10 * interval, now),
			 now + 30 * interval);
	/* Ticks of less than one unit are none. */
	limit.replaced_interval = 1ULL << 62;
	assert_int_equal(sl_gcra_convert(&limit, now + (1ULL << 61), now), now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admits_what_a_token_bucket_admits),
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_refusal_leaves_the_state_alone),
		cmocka_unit_test(test_wrap_of_the_clock),
		cmocka_unit_test(test_a_new_bucket_is_full_at_any_time),
		cmocka_unit_test(test_an_idle_bucket_is_full_through_every_wrap),
		cmocka_unit_test(test_what_is_past_stays_past_through_every_wrap),
		cmocka_unit_test(test_a_deep_bucket_keeps_its_debts),
		cmocka_unit_test(test_cost_in_fractions),
		cmocka_unit_test(test_convert_keeps_what_is_owed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
