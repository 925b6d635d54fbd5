// SPDX-License-Identifier: BSD-2-Clause
/* What is said of a bucket, by asking the bucket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/limit/inherit.h"
#include "unit/base/random.h"
#include "unit/limit/buckets.h"
#include "unit/limit/limits.h"

#define SECOND 1000000000ULL

/* Whether they would pass now; the bucket stays as it is. */
static bool would_pass(const struct sl_limit *limit, const struct sl_bucket *bucket,
		       unsigned long long units, unsigned long long now)
{
	struct sl_bucket copy = *bucket;

	return bucket_take(limit, &copy, (__u32)units, now);
}

static void check_remaining(const struct sl_limit *limit, const struct sl_bucket *bucket,
			    unsigned long long now)
{
	struct limit_state state = limit_state(limit, bucket, now);

	assert_true(state.remaining <= state.limit);
	if (state.remaining)
		assert_true(would_pass(limit, bucket, state.remaining, now));
	assert_false(would_pass(limit, bucket, state.remaining + 1, now));
}

static void check_reset(const struct sl_limit *limit, const struct sl_bucket *bucket,
			unsigned long long now)
{
	struct limit_state state = limit_state(limit, bucket, now);
	unsigned long long reset = state.reset_ns;

	assert_true(would_pass(limit, bucket, state.limit, now + sl_ticks(reset)));
	if (reset)
		assert_false(would_pass(limit, bucket, state.limit, now + sl_ticks(reset - 1)));
}

/* Not a nanosecond early, not one late. */
static void check_wait(const struct sl_limit *limit, const struct sl_bucket *bucket,
		       unsigned long long now, unsigned long long units)
{
	unsigned long long wait = limit_wait_ns(limit, bucket, now, units);

	assert_true(would_pass(limit, bucket, units, now + sl_ticks(wait)));
	if (wait)
		assert_false(would_pass(limit, bucket, units, now + sl_ticks(wait - 1)));
}

/* Sends at random, and asks after each packet. */
static void ask_at_random(const struct sl_limit *limit, uint64_t *random)
{
	unsigned long long whole = limit_state(limit, &(struct sl_bucket){}, 1).limit;
	unsigned long long period = limit->algorithm == SL_ALGORITHM_TOKEN_BUCKET
					    ? limit->rate.depth
					    : limit->rate.interval;
	unsigned long long now = sl_ticks(5000 * SECOND);
	unsigned waits = 0;
	struct sl_bucket bucket = {};

	for (unsigned i = 0; i < 3000; i++) {
		unsigned units = 1 + random_below(random, (unsigned)whole);

		(void)bucket_take(limit, &bucket, units, now);
		check_remaining(limit, &bucket, now);
		check_reset(limit, &bucket, now);
		check_wait(limit, &bucket, now, 1);
		check_wait(limit, &bucket, now, units);
		check_wait(limit, &bucket, now, whole);
		waits += limit_wait_ns(limit, &bucket, now, units) != 0;
		now += random_next(random) % (period >> random_below(random, 10));
	}
	assert_in_range(waits, 300, 3000);
}

static void what_is_said_is_what_happens(void **state)
{
	struct sl_limit limits[] = {
		token_bucket(SL_COUNT_PACKETS, (struct rate){ 1000, 1 }, 50),
		token_bucket(SL_COUNT_PACKETS, (struct rate){ 7, 3600 }, 1),
		token_bucket(SL_COUNT_PACKETS, (struct rate){ 3000, 1 }, 7),
		token_bucket(SL_COUNT_BYTES, (struct rate){ 1000003, 1 }, 60000),
		token_bucket(SL_COUNT_BYTES, (struct rate){ 50000000000, 1 }, 60000),
		token_bucket(SL_COUNT_BYTES, (struct rate){ 77, 3600 }, 9000),
		window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 50, 1 }),
		window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 1, 3600 }),
		window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ 50, 1 }),
		window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ 1, 60 }),
		window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ 5000, 3600 }),
	};
	uint64_t random = 3;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		ask_at_random(&limits[i], &random);
}

static void an_unused_bucket_is_full_at_any_time(void **state)
{
	struct sl_limit limits[] = {
		token_bucket(SL_COUNT_PACKETS, (struct rate){ 1000, 1 }, 50),
		window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 50, 1 }),
		window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ 50, 1 }),
	};
	struct sl_bucket bucket = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		for (unsigned bit = 0; bit < 64; bit++) {
			struct limit_state s = limit_state(&limits[i], &bucket, 1ULL << bit | 3);

			assert_int_equal(s.limit, 50);
			assert_int_equal(s.remaining, 50);
			assert_int_equal(s.reset_ns, 0);
			assert_int_equal(limit_wait_ns(&limits[i], &bucket, 1ULL << bit, 50), 0);
		}
}

/* Some numbers that a person can check. */
static void known_states(void **state)
{
	struct sl_limit tokens = token_bucket(SL_COUNT_PACKETS, (struct rate){ 10, 1 }, 20);
	struct sl_limit fixed = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 10, 60 });
	unsigned long long now = sl_ticks(90 * SECOND);
	struct sl_bucket owes_15 = { .state = { now + 15 * sl_ticks(SECOND / 10) } };
	struct sl_bucket used_9 = { .state = { sl_window_word(1, 9) } };
	struct limit_state s;

	(void)state;
	s = limit_state(&tokens, &owes_15, now);
	assert_int_equal(s.limit, 20);
	assert_int_equal(s.remaining, 5);
	assert_int_equal(s.reset_ns, 3 * SECOND / 2);
	assert_int_equal(limit_wait_ns(&tokens, &owes_15, now, 5), 0);
	assert_int_equal(limit_wait_ns(&tokens, &owes_15, now, 6), SECOND / 10);
	assert_int_equal(limit_wait_ns(&tokens, &owes_15, now, 20), 3 * SECOND / 2);
	/* More than can ever pass is asked for: as for the most that can. */
	assert_int_equal(limit_wait_ns(&tokens, &owes_15, now, 1000), 3 * SECOND / 2);

	s = limit_state(&fixed, &used_9, now);
	assert_int_equal(s.limit, 10);
	assert_int_equal(s.remaining, 1);
	assert_int_equal(s.reset_ns, 30 * SECOND);
	assert_int_equal(limit_wait_ns(&fixed, &used_9, now, 1), 0);
	assert_int_equal(limit_wait_ns(&fixed, &used_9, now, 2), 30 * SECOND);
	assert_int_equal(limit_wait_ns(&fixed, &used_9, now, ~0ULL), 30 * SECOND);
}

/* A state that no program of ours writes: another rate's, or damaged. */
static void any_state_has_an_answer(void **state)
{
	struct sl_limit limits[] = {
		token_bucket(SL_COUNT_PACKETS, (struct rate){ 1000, 1 }, 50),
		window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 50, 1 }),
		window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ 50, 1 }),
		{ .id = 1 },
		{ .algorithm = SL_ALGORITHM_FIXED_WINDOW },
		{ .algorithm = SL_ALGORITHM_SLIDING_WINDOW },
	};
	uint64_t random = 13;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		const struct sl_limit *limit = &limits[i % ARRAY_SIZE(limits)];
		unsigned long long now = random_next(&random);
		struct sl_bucket bucket;
		struct limit_state s;

		for (unsigned w = 0; w <= SL_WINDOW_PARTS; w++)
			bucket.state[w] = random_next(&random);
		s = limit_state(limit, &bucket, now);
		assert_true(s.remaining <= s.limit);
		(void)limit_wait_ns(limit, &bucket, now, random_next(&random));
	}
}

/* A value of a map that is none of ours: the program admits nothing then. */
static void an_unknown_algorithm_has_no_units(void **state)
{
	struct sl_limit limit = token_bucket(SL_COUNT_PACKETS, (struct rate){ 1000, 1 }, 50);
	struct sl_bucket bucket = { .state = { 7 } }, next = bucket;
	struct limit_state s;

	(void)state;
	limit.algorithm = 0xff;
	s = limit_state(&limit, &bucket, sl_ticks(SECOND));
	assert_int_equal(s.limit, 0);
	assert_int_equal(s.remaining, 0);
	assert_int_equal(s.reset_ns, 0);
	assert_int_equal(limit_wait_ns(&limit, &bucket, sl_ticks(SECOND), 1), 0);
	assert_int_equal(limit_gate_bucket(&limit, sl_ticks(SECOND)).state[0], 0);
	limit_inherit_bucket(&limit, &next, sl_ticks(SECOND));
	assert_memory_equal(&next, &bucket, sizeof(next));
	assert_false(limit_has_burst(limit.algorithm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_what_happens),
		cmocka_unit_test(an_unused_bucket_is_full_at_any_time),
		cmocka_unit_test(known_states),
		cmocka_unit_test(any_state_has_an_answer),
		cmocka_unit_test(an_unknown_algorithm_has_no_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
