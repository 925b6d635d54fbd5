// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rise and fall rule: cases written out, then random results against a
 * model that keeps the whole history and looks at its end.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/health.h"

/* results: '+' good, '-' bad; states: 'U' or 'D' after each of them. */
static const struct health_case {
	const char *sentence;
	unsigned rise, fall;
	bool up;
	const char *results, *states;
} cases[] = {
	{ "one success is enough for rise 1", 1, 1, false, "+", "U" },
	{ "one failure is enough for fall 1", 1, 1, true, "-", "D" },
	{ "rise 2: the second success", 2, 3, false, "++", "DU" },
	{ "fall 3: the third failure", 2, 3, true, "---", "UUD" },
	{ "a failure starts the rise again", 2, 3, false, "+-++", "DDDU" },
	{ "a success starts the fall again", 2, 3, true, "--+---", "UUUUUD" },
	{ "up stays up", 2, 3, true, "++++", "UUUU" },
	{ "down stays down", 2, 3, false, "----", "DDDD" },
	{ "flapping changes nothing", 2, 2, false, "+-+-+-+-", "DDDDDDDD" },
	{ "there and back", 2, 3, false, "++---++", "DUUUDDU" },
	{ "failures before do not shorten the rise", 3, 1, true, "-++-+++", "DDDDDDU" },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct health_case *row = &cases[i];
		struct health health = { .rise = row->rise, .fall = row->fall, .up = row->up };

		for (size_t j = 0; row->results[j]; j++) {
			bool before = health.up;
			bool changed = health_step(&health, row->results[j] == '+');

			if (health.up != (row->states[j] == 'U') ||
			    changed != (before != health.up))
				fail_msg("%s: wrong after result %zu of %s", row->sentence, j + 1,
					 row->results);
		}
	}
}

static void test_run_stops_at_its_maximum(void **state)
{
	struct health health = { .rise = 2, .fall = 3, .last_ok = true, .run = UINT_MAX };

	(void)state;
	assert_true(health_step(&health, true));
	assert_int_equal(health.run, UINT_MAX);
	assert_false(health_step(&health, false));
	assert_int_equal(health.run, 1);
}

/* ---- the model ---------------------------------------------------------- */

#define HISTORY 200

struct model {
	bool results[HISTORY];
	size_t n;
	bool up, settled;
};

static bool model_ends_in(const struct model *model, bool ok, size_t length)
{
	if (model->n < length)
		return false;
	for (size_t i = model->n - length; i < model->n; i++)
		if (model->results[i] != ok)
			return false;
	return true;
}

static void model_step(struct model *model, unsigned rise, unsigned fall, bool ok)
{
	bool risen, fallen;

	model->results[model->n++] = ok;
	risen = model_ends_in(model, true, rise);
	fallen = model_ends_in(model, false, fall);
	if (risen)
		model->up = true;
	if (fallen)
		model->up = false;
	if (risen || fallen)
		model->settled = true;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void run_sequence(uint64_t *random)
{
	struct health health = {
		.rise = 1 + next_random(random) % 6,
		.fall = 1 + next_random(random) % 6,
		.up = next_random(random) & 1,
	};
	struct model model = { .up = health.up };
	unsigned good = next_random(random) % 101; /* percent */
	size_t length = 1 + next_random(random) % HISTORY;

	for (size_t i = 0; i < length; i++) {
		bool ok = next_random(random) % 100 < good;
		bool before = model.up, changed = health_step(&health, ok);
		size_t run = 1;

		model_step(&model, health.rise, health.fall, ok);
		while (model_ends_in(&model, ok, run + 1))
			run++;
		assert_int_equal(health.up, model.up);
		assert_int_equal(changed, model.up != before);
		assert_int_equal(health.last_ok, ok);
		assert_int_equal(health.run, run);
		assert_int_equal(health.settled, model.settled);
	}
}

static void test_random_sequences(void **state)
{
	const uint64_t seed = 20261122;
	uint64_t random = seed;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < 10000; i++)
		run_sequence(&random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_run_stops_at_its_maximum),
		cmocka_unit_test(test_random_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
