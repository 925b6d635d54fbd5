// SPDX-License-Identifier: BSD-2-Clause
/* GCRA against a token bucket written as one: tokens, filled by time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sluice/gcra.h"

#define SECOND 1000000000ULL

static struct sl_rate rate_of(uint64_t per_second, uint64_t burst)
{
	uint64_t interval = sl_ticks(SECOND) / per_second;

	return (struct sl_rate){ .interval = interval, .tolerance = (burst - 1) * interval };
}

/* In ticks of the same length, so that both are exact: a token is an interval. */
struct bucket {
	uint64_t level, capacity, at;
};

static int bucket_admit(struct bucket *bucket, uint64_t interval, uint64_t now)
{
	bucket->level += now - bucket->at;
	if (bucket->level > bucket->capacity)
		bucket->level = bucket->capacity;
	bucket->at = now;
	if (bucket->level < interval)
		return 0;
	bucket->level -= interval;
	return 1;
}

/* The same arrivals, a burst at first, then random gaps around the interval. */
static void test_admits_what_a_token_bucket_admits(void **state)
{
	static const uint64_t bursts[] = { 1, 2, 5, 100, 5000 };
	static const uint64_t rates[] = { 1, 10, 1000, 1000000, 100000000 };
	unsigned long admitted = 0, refused = 0;

	(void)state;
	srand(7);
	for (size_t b = 0; b < sizeof(bursts) / sizeof(bursts[0]); b++) {
		for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
			struct sl_rate rate = rate_of(rates[r], bursts[b]);
			__u64 now = 12345, tat = 0, capacity = rate.interval * bursts[b];
			struct bucket bucket = { capacity, capacity, now };

			for (unsigned i = 0; i < 20000; i++) {
				int expected = bucket_admit(&bucket, rate.interval, now);

				assert_int_equal(sl_gcra_admit(&rate, tat, now, &tat), expected);
				admitted += (unsigned)expected;
				refused += (unsigned)!expected;
				if (i > 2 * bursts[b])
					now += (uint64_t)rand() % (2 * rate.interval);
			}
		}
	}
	assert_true(admitted > 1000 && refused > 1000);
}

static void test_burst_then_rate(void **state)
{
	struct sl_rate rate = rate_of(1000, 50);
	__u64 tat = 0, start = sl_ticks(5 * SECOND), now;
	unsigned admitted = 0;

	(void)state;
	/* 100 000 packets in 10 s, a hundred times too many. */
	for (unsigned i = 0; i < 1000000; i++) {
		now = start + i * sl_ticks(10 * SECOND) / 1000000;
		admitted += (unsigned)sl_gcra_admit(&rate, tat, now, &tat);
	}
	assert_in_range(admitted, 10000 + 50 - 1, 10000 + 50);
}

static void test_refusal_leaves_the_state_alone(void **state)
{
	struct sl_rate rate = rate_of(10, 1);
	__u64 tat = 0, next = 99;

	(void)state;
	assert_true(sl_gcra_admit(&rate, tat, 1000, &tat));
	assert_false(sl_gcra_admit(&rate, tat, 1001, &next));
	assert_int_equal(next, 99);
	assert_false(sl_gcra_admit(&rate, tat, tat - 1, &next));
	assert_true(sl_gcra_admit(&rate, tat, tat, &next));
}

/* The clock in ticks wraps after 2.2 years: nobody is locked out by it. */
static void test_wrap_of_the_clock(void **state)
{
	struct sl_rate rate = rate_of(1000, 3);
	__u64 now = UINT64_MAX - rate.interval / 2, tat = now;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(sl_gcra_admit(&rate, tat, now, &tat));
	assert_false(sl_gcra_admit(&rate, tat, now, &tat));
	assert_true(sl_gcra_admit(&rate, tat, now + rate.interval, &tat));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admits_what_a_token_bucket_admits),
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_refusal_leaves_the_state_alone),
		cmocka_unit_test(test_wrap_of_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
