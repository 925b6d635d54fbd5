// SPDX-License-Identifier: BSD-2-Clause
/* Quantities as text. Ticks are compared with what long double arithmetic says. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/units.h"
#include "sluice/gcra.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))
#define UNTOUCHED   0xdeadbeefULL

typedef int parse_fn(const char *text, unsigned long long *ret_value);

struct row {
	parse_fn *parse;
	const char *text;
	int error;
	unsigned long long value;
};

static void quantities(void **state)
{
	static const struct row rows[] = {
		{ duration_parse, "500ms", 0, 500 },
		{ duration_parse, "2s", 0, 2000 },
		{ duration_parse, "30m", 0, 30 * 60 * 1000 },
		{ duration_parse, "1h", 0, 60 * 60 * 1000 },
		{ duration_parse, "0s", 0, 0 },
		{ duration_parse, "18446744073709551615ms", 0, UINT64_MAX },
		{ duration_parse, "18446744073709551616ms", -ERANGE, 0 },
		{ duration_parse, "18446744073709551615h", -ERANGE, 0 },
		{ duration_parse, "", -EINVAL, 0 },
		{ duration_parse, "2", -EINVAL, 0 },
		{ duration_parse, "s", -EINVAL, 0 },
		{ duration_parse, "2 s", -EINVAL, 0 },
		{ duration_parse, " 2s", -EINVAL, 0 },
		{ duration_parse, "2s ", -EINVAL, 0 },
		{ duration_parse, "-2s", -EINVAL, 0 },
		{ duration_parse, "+2s", -EINVAL, 0 },
		{ duration_parse, "1.5s", -EINVAL, 0 },
		{ duration_parse, "02s", -EINVAL, 0 },
		{ duration_parse, "2S", -EINVAL, 0 },
		{ duration_parse, "2d", -EINVAL, 0 },
		{ duration_parse, "1h30m", -EINVAL, 0 },
		{ count_parse, "1", 0, 1 },
		{ count_parse, "10k", 0, 10000 },
		{ count_parse, "3M", 0, 3000000 },
		{ count_parse, "18446744073709551615", 0, UINT64_MAX },
		{ count_parse, "18446744073709551615k", -ERANGE, 0 },
		{ count_parse, "99999999999999999999999999", -ERANGE, 0 },
		{ count_parse, "10K", -EINVAL, 0 },
		{ count_parse, "10m", -EINVAL, 0 },
		{ count_parse, "k", -EINVAL, 0 },
		{ count_parse, "0x10", -EINVAL, 0 },
		{ count_parse, "1e3", -EINVAL, 0 },
		{ number_parse, "0", 0, 0 },
		{ number_parse, "65535", 0, 65535 },
		{ number_parse, "00", -EINVAL, 0 },
		{ number_parse, "1k", -EINVAL, 0 },
		{ number_parse, "", -EINVAL, 0 },
		{ number_parse, "18446744073709551616", -ERANGE, 0 },
		{ percent_parse, "10%", 0, 10 },
		{ percent_parse, "0%", 0, 0 },
		{ percent_parse, "10", -EINVAL, 0 },
		{ percent_parse, "10 %", -EINVAL, 0 },
		{ percent_parse, "10%%", -EINVAL, 0 },
		{ percent_parse, "%", -EINVAL, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ROWS(rows); i++) {
		unsigned long long value = UNTOUCHED;

		if (rows[i].parse(rows[i].text, &value) != rows[i].error)
			fail_msg("row %zu, \"%s\": wrong answer", i, rows[i].text);
		if (value != (rows[i].error ? UNTOUCHED : rows[i].value))
			fail_msg("row %zu, \"%s\": gave %llu", i, rows[i].text, value);
	}
}

static void rates(void **state)
{
	static const struct {
		const char *text;
		int error;
		struct rate rate;
	} rows[] = {
		{ "1000/s", 0, { 1000, 1 } },
		{ "10k/s", 0, { 10000, 1 } },
		{ "2M/min", 0, { 2000000, 60 } },
		{ "1/h", 0, { 1, 3600 } },
		{ "1000", -EINVAL, {} },
		{ "/s", -EINVAL, {} },
		{ "0/s", -EINVAL, {} },
		{ "1000/", -EINVAL, {} },
		{ "1000/m", -EINVAL, {} },
		{ "1000/sec", -EINVAL, {} },
		{ "1000/s/s", -EINVAL, {} },
		{ "1000 /s", -EINVAL, {} },
		{ "k/s", -EINVAL, {} },
		{ "0.5/s", -EINVAL, {} },
		{ "18446744073709551615M/s", -ERANGE, {} },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ROWS(rows); i++) {
		struct rate rate = {};

		if (rate_parse(rows[i].text, &rate) != rows[i].error ||
		    rate.count != rows[i].rate.count || rate.seconds != rows[i].rate.seconds)
			fail_msg("\"%s\": wrong answer, or wrong value", rows[i].text);
	}
}

static void ticks_are_rounded_to_nearest(void **state)
{
	static const unsigned periods[] = { 1, 60, 3600 };
	unsigned long long count;
	size_t i;

	(void)state;
	for (i = 0; i < ROWS(periods); i++) {
		for (count = 1; count < 10000000000; count = count * 3 + 1) {
			struct rate rate = { count, periods[i] };
			long double exact = 256e9L * periods[i] / count;
			struct sl_rate ticks;

			assert_int_equal(rate_to_ticks(&rate, 7, &ticks), 0);
			assert_true(fabsl((long double)ticks.interval - exact) <= 0.5L);
			assert_int_equal(ticks.tolerance, 6 * ticks.interval);
		}
	}
}

static void the_ends_of_the_range(void **state)
{
	const struct rate slowest = { 1, 3600 };
	const struct rate fast = { 16000000000, 1 }; /* 16 ticks */
	const struct rate too_fast = { 16000000001, 1 };
	const struct rate absurd = { UINT64_MAX, 3600 };
	unsigned long long most = rate_max_burst(&slowest);
	struct sl_rate ticks = { 1, 2 };

	(void)state;
	assert_int_equal(rate_max_burst(&too_fast), 0);
	assert_int_equal(rate_max_burst(&absurd), 0);
	assert_int_equal(rate_to_ticks(&too_fast, 1, &ticks), -ERANGE);
	assert_int_equal(rate_to_ticks(&slowest, 0, &ticks), -EINVAL);
	assert_int_equal(rate_to_ticks(&slowest, most + 1, &ticks), -ERANGE);
	assert_int_equal(rate_to_ticks(&slowest, UINT64_MAX, &ticks), -ERANGE);
	assert_int_equal(ticks.interval, 1); /* left alone */

	assert_int_equal(rate_to_ticks(&fast, 1, &ticks), 0);
	assert_int_equal(ticks.interval, 16);
	assert_int_equal(ticks.tolerance, 0);
	assert_int_equal(rate_to_ticks(&slowest, most, &ticks), 0);
	assert_true(ticks.tolerance + ticks.interval <= 1ULL << 62);
	assert_true(ticks.tolerance + 2 * ticks.interval > 1ULL << 62);
}

static void a_burst_is_a_seconds_worth(void **state)
{
	static const struct {
		struct rate rate;
		unsigned long long burst;
	} rows[] = {
		{ { 1000, 1 }, 1000 }, { { 600, 60 }, 10 }, { { 119, 60 }, 1 },
		{ { 59, 60 }, 1 },     { { 1, 3600 }, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ROWS(rows); i++)
		assert_int_equal(rate_default_burst(&rows[i].rate), rows[i].burst);
}

/* The numbers mean what they say: a source that always sends gets
 * rate x time + burst, told by the program's own arithmetic.
 */
static void a_greedy_source_gets_rate_and_burst(void **state)
{
	const struct rate rate = { 1000, 1 };
	struct sl_rate ticks;
	unsigned admitted = 0;
	__u64 tat = 0;
	__u64 ns;

	(void)state;
	assert_int_equal(rate_to_ticks(&rate, 50, &ticks), 0);
	for (ns = 0; ns < 2000000000; ns += 100000)
		admitted += (unsigned)sl_gcra_admit(&ticks, tat, sl_ticks(1000000000 + ns), &tat);
	assert_in_range(admitted, 2 * 1000 + 49, 2 * 1000 + 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities),
		cmocka_unit_test(rates),
		cmocka_unit_test(ticks_are_rounded_to_nearest),
		cmocka_unit_test(the_ends_of_the_range),
		cmocka_unit_test(a_burst_is_a_seconds_worth),
		cmocka_unit_test(a_greedy_source_gets_rate_and_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
