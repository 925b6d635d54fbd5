// SPDX-License-Identifier: BSD-2-Clause
/* Windows: the most that a span of a window's length admits, for any sender at any pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "unit/base/random.h"
#include "unit/limit/buckets.h"

#define SECOND (1000000000ULL << SL_TICK_SHIFT)
#define PART   (SECOND / SL_WINDOW_PARTS)

static struct sl_limit limit_of(enum sl_limit_algorithm algorithm, uint64_t units)
{
	return (struct sl_limit){ .rate = { SECOND, units }, .algorithm = algorithm };
}

/* What passes of n units sent one by one at the same time. */
static unsigned send(const struct sl_limit *limit, struct sl_bucket *bucket, unsigned n, __u64 now)
{
	unsigned passed = 0;

	while (n--)
		passed += bucket_take(limit, bucket, 1, now);
	return passed;
}

static void test_words(void **state)
{
	__u64 word = sl_window_word(0x12345, 99);

	(void)state;
	assert_int_equal(sl_window_units(word, 0x12345), 99);
	assert_int_equal(sl_window_units(word, 0x12346), 0);
	assert_int_equal(sl_window_units(word, 0x12344), 0);
	assert_int_equal(sl_window_units(word, 0x22345), 99); /* as the head of the file says */
	assert_int_equal(sl_window_units(sl_window_word(~0ULL, SL_WINDOW_UNITS_MAX), ~0ULL),
			 SL_WINDOW_UNITS_MAX);
	assert_int_equal(sl_window_units(0, 7), 0);
}

/* Never less than the exact share, at most one unit and 2^-12 more. */
static void test_the_leaving_share_is_rounded_up(void **state)
{
	uint64_t random = 11;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		__u64 length = (SECOND >> (i % 2 ? 3 : 14)) + random_next(&random) % (450 * SECOND);
		__u64 units = random_next(&random) >> (16 + i % 48);
		__u64 passed = i % 5 ? random_next(&random) % length : 0;
		__u64 counts = sl_window_leaving(units, ~0ULL, passed, length);
		unsigned __int128 exact = (unsigned __int128)units * (length - passed);
		/* The share's own rounding is of the length, in 2^-11. */
		double slack = (double)units / (double)(length >> 11);

		assert_true((double)counts + slack + 1e-9 >= (double)exact / (double)length);
		assert_true((double)counts <=
			    (double)exact / (double)length + (double)units / 4096 + 1);
		if (!passed)
			assert_int_equal(counts, units);
	}
}

/* A part that holds more than its share of the limit stays for what is above it. */
static void test_a_full_part_leaves_late(void **state)
{
	(void)state;
	assert_int_equal(sl_window_leaving(1000, 1000, 0, PART), 1000);
	assert_int_equal(sl_window_leaving(1000, 1000, PART - 1, PART), 875);
	assert_int_equal(sl_window_leaving(125, 1000, PART - 1, PART), 1);
	assert_int_equal(sl_window_leaving(0, 1000, PART / 2, PART), 0);
	assert_int_equal(sl_window_leaving(1, 1, PART - 1, PART), 1);
}

static void test_a_fixed_window_gives_twice_the_limit_across_its_boundary(void **state)
{
	struct sl_limit limit = limit_of(SL_ALGORITHM_FIXED_WINDOW, 1000);
	struct sl_bucket bucket = {};

	(void)state;
	assert_int_equal(send(&limit, &bucket, 2000, 50 * SECOND - 1), 1000);
	assert_int_equal(send(&limit, &bucket, 2000, 50 * SECOND), 1000);
	assert_int_equal(send(&limit, &bucket, 2000, 51 * SECOND - 1), 0);
	assert_int_equal(send(&limit, &bucket, 2000, 51 * SECOND), 1000);
}

static void test_a_sliding_window_does_not(void **state)
{
	struct sl_limit limit = limit_of(SL_ALGORITHM_SLIDING_WINDOW, 1000);
	struct sl_bucket bucket = {};
	unsigned passed = 0;

	(void)state;
	assert_int_equal(send(&limit, &bucket, 2000, 50 * SECOND - 1), 1000);
	assert_int_equal(send(&limit, &bucket, 2000, 50 * SECOND), 0);
	/* Nor by coming back as the part goes in which it all was sent. */
	for (unsigned i = 0; i < 1000; i++)
		passed += send(&limit, &bucket, 10, 50 * SECOND + i * (SECOND / 1000) - 1);
	assert_in_range(passed, 1, 125);
	/* A whole window and the rest of a part later all of it is there again. */
	assert_int_equal(send(&limit, &bucket, 2000, 53 * SECOND), 1000);
}

/* Everything that passed, with its time, to look at every span. */
struct history {
	__u64 at[1 << 16];
	unsigned n;
};

static unsigned most_in_a_span(const struct history *history, __u64 span)
{
	unsigned most = 0, first = 0;

	for (unsigned i = 0; i < history->n; i++) {
		while (history->at[i] - history->at[first] >= span)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	return most;
}

/* Pauses of up to a window and a half, and bursts of up to twice the limit. */
static void send_at_random(const struct sl_limit *limit, uint64_t *random, struct history *history)
{
	struct sl_bucket bucket = {};
	__u64 now = 100 * SECOND;

	history->n = 0;
	while (history->n < ARRAY_SIZE(history->at) / 2) {
		unsigned n = random_below(random, 2 * (unsigned)limit->rate.depth);
		__u64 gap = random_next(random) % (PART >> random_below(random, 20));

		for (unsigned i = 0; i < n && history->n < ARRAY_SIZE(history->at); i++) {
			if (bucket_take(limit, &bucket, 1, now))
				history->at[history->n++] = now;
			now += gap / limit->rate.depth;
		}
		if (random_below(random, 2))
			now += random_next(random) % (3 * SECOND / 2);
		else
			now += PART - now % PART - random_below(random, 2);
	}
}

static void test_any_span_gets_the_limit_and_a_parts_share(void **state)
{
	static const unsigned limits[] = { 1, 7, 8, 40, 1000 };
	struct history *history = calloc(1, sizeof(*history));
	uint64_t random = 5;
	unsigned most;

	(void)state;
	assert_non_null(history);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		for (unsigned round = 0; round < 20; round++) {
			struct sl_limit limit = limit_of(SL_ALGORITHM_SLIDING_WINDOW, limits[i]);

			send_at_random(&limit, &random, history);
			most = most_in_a_span(history, SECOND);
			assert_in_range(most, limits[i], limits[i] + limits[i] / SL_WINDOW_PARTS);
		}
	free(history);
}

/* Who keeps to the rate is served, who does not gets it. */
static void test_the_rate_is_given(void **state)
{
	struct sl_limit limit = limit_of(SL_ALGORITHM_SLIDING_WINDOW, 1000);
	struct sl_bucket slow = {}, fast = {};
	unsigned refused = 0, passed = 0;

	(void)state;
	for (unsigned i = 0; i < 60 * 985; i++)
		refused += !bucket_take(&limit, &slow, 1, 7 * SECOND + i * (SECOND / 985));
	assert_int_equal(refused, 0);
	for (unsigned i = 0; i < 60 * 10000; i++)
		passed += bucket_take(&limit, &fast, 1, 7 * SECOND + i * (SECOND / 10000));
	assert_in_range(passed, 60 * 940, 60 * 1000 + 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_the_leaving_share_is_rounded_up),
		cmocka_unit_test(test_a_full_part_leaves_late),
		cmocka_unit_test(test_a_fixed_window_gives_twice_the_limit_across_its_boundary),
		cmocka_unit_test(test_a_sliding_window_does_not),
		cmocka_unit_test(test_any_span_gets_the_limit_and_a_parts_share),
		cmocka_unit_test(test_the_rate_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
