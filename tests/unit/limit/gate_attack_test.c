// SPDX-License-Identifier: BSD-2-Clause
/* The gate and the buckets behind it, simulated: what sources get that keep to their
 * limits and that do not, against token buckets that are exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "sluice/gate.h"
#include "sluice/hash.h"
#include "unit/base/random.h"
#include "unit/limit/buckets.h"
#include "unit/limit/limits.h"

#define SECOND (1000000000ULL << SL_TICK_SHIFT)
#define MS     (SECOND / 1000)
#define START  (1000 * SECOND)
#define JIFFY  (4 * MS) /* of the clock by which the gate goes */
#define LINES  16

static struct sl_limit limit_of(unsigned per_second, unsigned long long burst)
{
	return token_bucket(SL_COUNT_PACKETS, (struct rate){ per_second, 1 }, burst);
}

struct gate {
	struct sl_gate_line lines[LINES];
};

/* As bpf/gate.h does, on one CPU. */
static bool gate_admits(struct gate *gate, const struct sl_limit *limit,
			const struct sl_gate_place *place, __u64 now)
{
	__u64 *cell = &gate->lines[place->line].cells[place->cell], next;
	__u64 cost = sl_gate_cost(sl_limit_cost(limit, 1));
	int result = sl_gate_charge(limit, *cell, now, cost, &next);

	if (result < 0)
		return false;
	*cell = next;
	return result;
}

struct sender {
	struct sl_limit limit;
	struct sl_gate_place place;
	struct sl_bucket bucket; /* its own, behind the gate */
	struct sl_bucket exact;  /* the same rate and burst for all that arrives, gate or not */
	__u64 level, at;         /* of what has passed: how far above the rate, in ticks */
	__u64 highest;           /* level */
	unsigned sent, passed, by_gate;
};

static void arrive(struct gate *gate, struct sender *sender, __u64 now)
{
	const struct sl_limit *limit = &sender->limit;
	bool within = bucket_take(limit, &sender->exact, 1, now);
	bool by_gate = gate_admits(gate, limit, &sender->place, now - now % JIFFY);

	sender->sent++;
	sender->by_gate += by_gate;
	if (!by_gate && !bucket_take(limit, &sender->bucket, 1, now))
		return;
	/* A burst of less than the gate's clock can tell is not looked at. */
	if (by_gate && limit->rate.depth > 4 * JIFFY &&
	    limit->gate_cap > limit->gate_depth + limit->rate.depth - 1)
		assert_true(within);
	sender->level -= now - sender->at < sender->level ? now - sender->at : sender->level;
	sender->level += limit->rate.interval;
	sender->at = now;
	if (sender->level > sender->highest)
		sender->highest = sender->level;
	sender->passed++;
}

/* In any span, whichever it is: what passes is the rate's, a burst, the gate's share
 * and what its clock is behind by.
 */
static void assert_is_limited(const struct sender *sender)
{
	const struct sl_limit *limit = &sender->limit;

	assert_true(sender->highest <= limit->rate.depth + limit->gate_depth + JIFFY);
	assert_true(sender->highest <= 2 * limit->rate.depth + JIFFY);
}

/* Sends `times` the rate in the first `on` of each `period` ticks. */
struct pattern {
	double times;
	__u64 on, period;
};

static bool is_on(const struct pattern *pattern, __u64 now)
{
	return (now - START) % pattern->period < pattern->on;
}

/* A minute of it, alone. */
static struct sender attack(const struct sl_limit *limit, const struct pattern *pattern)
{
	struct sender sender = { .limit = *limit, .place = { .cell = 1 } };
	__u64 gap = (__u64)((double)limit->rate.interval / pattern->times);
	struct gate gate = {};

	for (__u64 now = START; now < START + 60 * SECOND; now += gap)
		if (is_on(pattern, now))
			arrive(&gate, &sender, now);
	return sender;
}

static void test_attackers_get_their_rate(void **state)
{
	static const struct pattern patterns[] = {
		{ 1.5, SECOND, SECOND },
		{ 10, SECOND, SECOND },
		{ 100, SECOND, SECOND },
		{ 10, SECOND / 2, SECOND },
		{ 20, SECOND / 5, 11 * SECOND / 5 },
		{ 50, SECOND / 2, 12 * SECOND },
	};
	static const unsigned bursts[] = { 20, 300, 1000, 10000 };

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(bursts); b++)
		for (size_t p = 0; p < ARRAY_SIZE(patterns); p++) {
			struct sl_limit limit = limit_of(1000, bursts[b]);
			struct sender sender = attack(&limit, &patterns[p]);
			unsigned most = 60 * 1000 + bursts[b] +
					(unsigned)(limit.gate_depth / limit.rate.interval);

			assert_is_limited(&sender);
			assert_true(sender.passed <= most + JIFFY / MS);
			if (patterns[p].on == patterns[p].period)
				assert_true(sender.passed >= 60 * 1000 * 99 / 100);
		}
}

/* Who stays below its limit is not refused, even where an attacker has its cell:
 * its own bucket is full.
 */
static void test_neighbours_are_not_refused(void **state)
{
	struct sender attacker = { .limit = limit_of(1000, 1000), .place = { .cell = 1 } };
	struct sender neighbours[] = {
		{ .limit = limit_of(1000, 1000), .place = { .cell = 1 } },
		{ .limit = limit_of(1000, 1000), .place = { .cell = 1 } },
		{ .limit = limit_of(10, 10), .place = { .cell = 1 } },
		{ .limit = limit_of(10, 1), .place = { .cell = 1 } },
	};
	__u64 next[ARRAY_SIZE(neighbours)] = {};
	struct gate gate = {};
	uint64_t random = 17;

	(void)state;
	for (__u64 now = START; now < START + 60 * SECOND; now += SECOND / 10000) {
		arrive(&gate, &attacker, now);
		for (size_t i = 0; i < ARRAY_SIZE(neighbours); i++) {
			__u64 interval = neighbours[i].limit.rate.interval;

			if (now < next[i])
				continue;
			arrive(&gate, &neighbours[i], now);
			next[i] = now + interval + random_next(&random) % interval;
		}
	}
	assert_is_limited(&attacker);
	for (size_t i = 0; i < ARRAY_SIZE(neighbours); i++) {
		assert_true(neighbours[i].sent > 300);
		assert_int_equal(neighbours[i].passed, neighbours[i].sent);
	}
	/* They were behind the gate indeed: it let few of them through. */
	assert_true(neighbours[0].by_gate < neighbours[0].sent / 100);
}

/* Many sources of limits at quite different rates, in few cells: whom the gate
 * admits is always within its own limit (arrive() looks), and nobody gets more.
 */
static void test_sources_at_random(void **state)
{
	static const struct {
		unsigned rate, burst;
	} limits[] = {
		{ 1000, 1000 }, { 1000, 100 }, { 100, 1000 }, { 20, 20 }, { 5, 1 },
	};
	enum { SENDERS = 300 };
	struct sender *senders = calloc(SENDERS, sizeof(*senders));
	struct pattern patterns[SENDERS];
	unsigned by_gate = 0, refused = 0;
	struct gate gate = {};
	uint64_t random = 23;

	(void)state;
	assert_non_null(senders);
	for (unsigned i = 0; i < SENDERS; i++) {
		__u64 period = SECOND / 4 + random_next(&random) % (8 * SECOND);
		unsigned kind = i % ARRAY_SIZE(limits);

		senders[i].limit = limit_of(limits[kind].rate, limits[kind].burst);
		senders[i].place = sl_gate_place(random_next(&random), LINES - 1);
		patterns[i] =
			(struct pattern){ .on = random_next(&random) % period, .period = period };
	}
	/* A millisecond a step: many are quiet, and some send a hundred times their rate. */
	for (__u64 now = START; now < START + 40 * SECOND; now += MS)
		for (unsigned i = 0; i < SENDERS; i++) {
			unsigned often = 1U << i % 13;

			if (is_on(&patterns[i], now) && !random_below(&random, often))
				arrive(&gate, &senders[i], now + random_below(&random, 1000));
		}
	for (unsigned i = 0; i < SENDERS; i++) {
		assert_is_limited(&senders[i]);
		by_gate += senders[i].by_gate;
		refused += senders[i].sent - senders[i].passed;
	}
	assert_true(by_gate > 10000 && refused > 10000);
	free(senders);
}

/* Bursts of all that a limit of `burst` lets through, with pauses of `pause` ticks in
 * between: how many times the rate passes, in the long run.
 */
static double bursts_get(const struct sl_limit *limit, __u64 pause)
{
	struct sender sender = { .limit = *limit, .place = { .cell = 1 } };
	unsigned rounds = (unsigned)(300 * SECOND / pause), first = 0;
	struct gate gate = {};

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < 2600; i++)
			arrive(&gate, &sender, START + round * pause);
		if (!round)
			first = sender.passed;
	}
	return (double)(sender.passed - first) * (double)limit->rate.interval /
	       (double)((rounds - 1) * pause);
}

/* Why the gate is charged for a whole burst beyond dry: with a second of a burst of
 * ten, it is ready again while the bucket still fills, and who pauses just as long
 * has them both for ever.
 */
static void test_the_cap_is_a_whole_burst(void **state)
{
	struct sl_limit limit = limit_of(100, 1000), capped = limit;
	double most = 0, most_capped = 0;

	(void)state;
	capped.gate_cap = capped.gate_depth + SECOND;
	for (__u64 pause = SECOND / 2; pause < 30 * SECOND; pause += SECOND / 2) {
		double got = bursts_get(&limit, pause), got_capped = bursts_get(&capped, pause);

		most = got > most ? got : most;
		most_capped = got_capped > most_capped ? got_capped : most_capped;
	}
	assert_true(most <= 1.005);
	assert_true(most_capped >= 1.5);
}

/* Why the gate is charged for what it does not admit: else it fills beside the
 * bucket, and a steady attacker gets the rate twice.
 */
static void test_every_arrival_is_charged(void **state)
{
	struct sl_limit limit = limit_of(1000, 1000), uncharged = limit;
	const struct pattern steady = { 10, SECOND, SECOND };

	(void)state;
	uncharged.gate_cap = uncharged.gate_depth;
	assert_true(attack(&limit, &steady).passed < 62000);
	assert_true(attack(&uncharged, &steady).passed > 110000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attackers_get_their_rate),
		cmocka_unit_test(test_neighbours_are_not_refused),
		cmocka_unit_test(test_sources_at_random),
		cmocka_unit_test(test_the_cap_is_a_whole_burst),
		cmocka_unit_test(test_every_arrival_is_charged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
