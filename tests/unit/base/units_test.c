// SPDX-License-Identifier: BSD-2-Clause
/* Quantities as text, and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/base/units.h"

#define UNTOUCHED 0xdeadbeefULL

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
		{ count_parse, "7G", 0, 7000000000 },
		{ count_parse, "0G", 0, 0 },
		{ count_parse, "5B", -EINVAL, 0 },
		{ count_parse, "5kB", -EINVAL, 0 },
		{ count_parse, "18446744073709551615", 0, UINT64_MAX },
		{ count_parse, "18446744073709551615k", -ERANGE, 0 },
		{ count_parse, "99999999999999999999999999", -ERANGE, 0 },
		{ count_parse, "10K", -EINVAL, 0 },
		{ count_parse, "10m", -EINVAL, 0 },
		{ count_parse, "k", -EINVAL, 0 },
		{ count_parse, "0x10", -EINVAL, 0 },
		{ count_parse, "1e3", -EINVAL, 0 },
		{ bytes_parse, "200", 0, 200 },
		{ bytes_parse, "64k", 0, 64000 },
		{ bytes_parse, "3M", 0, 3000000 },
		{ bytes_parse, "2G", 0, 2000000000 },
		{ bytes_parse, "7B", 0, 7 },
		{ bytes_parse, "64kB", 0, 64000 },
		{ bytes_parse, "2MB", 0, 2000000 },
		{ bytes_parse, "5GB", 0, 5000000000 },
		{ bytes_parse, "8bit", 0, 1 },
		{ bytes_parse, "1kbit", 0, 125 },
		{ bytes_parse, "16Mbit", 0, 2000000 },
		{ bytes_parse, "100Gbit", 0, 12500000000 },
		{ bytes_parse, "4bit", -EINVAL, 0 },
		{ bytes_parse, "12bit", -EINVAL, 0 },
		{ bytes_parse, "1b", -EINVAL, 0 },
		{ bytes_parse, "1KB", -EINVAL, 0 },
		{ bytes_parse, "1KiB", -EINVAL, 0 },
		{ bytes_parse, "1mB", -EINVAL, 0 },
		{ bytes_parse, "1 MB", -EINVAL, 0 },
		{ bytes_parse, "MB", -EINVAL, 0 },
		{ bytes_parse, "", -EINVAL, 0 },
		{ bytes_parse, "1.5MB", -EINVAL, 0 },
		{ bytes_parse, "18446744073709551615GB", -ERANGE, 0 },
		{ bytes_parse, "18446744073709551615Gbit", -ERANGE, 0 },
		{ bytes_parse, "18446744073709551615bit", -EINVAL, 0 },
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

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
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
		int (*parse)(const char *text, struct rate *ret_rate);
		const char *text;
		int error;
		struct rate rate;
	} rows[] = {
		{ rate_parse, "1000/s", 0, { 1000, 1 } },
		{ rate_parse, "10k/s", 0, { 10000, 1 } },
		{ rate_parse, "2M/min", 0, { 2000000, 60 } },
		{ rate_parse, "1/h", 0, { 1, 3600 } },
		{ rate_parse, "3G/h", 0, { 3000000000, 3600 } },
		{ rate_parse, "10MB/s", -EINVAL, {} },
		{ rate_parse, "1000", -EINVAL, {} },
		{ rate_parse, "/s", -EINVAL, {} },
		{ rate_parse, "0/s", -EINVAL, {} },
		{ rate_parse, "1000/", -EINVAL, {} },
		{ rate_parse, "1000/m", -EINVAL, {} },
		{ rate_parse, "1000/sec", -EINVAL, {} },
		{ rate_parse, "1000/s/s", -EINVAL, {} },
		{ rate_parse, "1000 /s", -EINVAL, {} },
		{ rate_parse, "k/s", -EINVAL, {} },
		{ rate_parse, "0.5/s", -EINVAL, {} },
		{ rate_parse, "18446744073709551615M/s", -ERANGE, {} },
		{ byte_rate_parse, "80Mbit/s", 0, { 10000000, 1 } },
		{ byte_rate_parse, "10MB/s", 0, { 10000000, 1 } },
		{ byte_rate_parse, "1GB/min", 0, { 1000000000, 60 } },
		{ byte_rate_parse, "400Gbit/s", 0, { 50000000000, 1 } },
		{ byte_rate_parse, "1500/h", 0, { 1500, 3600 } },
		{ byte_rate_parse, "10k/s", 0, { 10000, 1 } },
		{ byte_rate_parse, "10M/s", 0, { 10000000, 1 } },
		{ byte_rate_parse, "10G/s", 0, { 10000000000, 1 } },
		{ byte_rate_parse, "9B/s", 0, { 9, 1 } },
		{ byte_rate_parse, "8bit/min", 0, { 1, 60 } },
		{ byte_rate_parse, "4bit/s", -EINVAL, {} },
		{ byte_rate_parse, "0bit/s", -EINVAL, {} },
		{ byte_rate_parse, "0MB/s", -EINVAL, {} },
		{ byte_rate_parse, "10Mb/s", -EINVAL, {} },
		{ byte_rate_parse, "10Mbps", -EINVAL, {} },
		{ byte_rate_parse, "10Mbit", -EINVAL, {} },
		{ byte_rate_parse, "10 Mbit/s", -EINVAL, {} },
		{ byte_rate_parse, "/s", -EINVAL, {} },
		{ byte_rate_parse, "18446744073709551615Gbit/s", -ERANGE, {} },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rate rate = {};

		if (rows[i].parse(rows[i].text, &rate) != rows[i].error ||
		    rate.count != rows[i].rate.count || rate.seconds != rows[i].rate.seconds)
			fail_msg("row %zu, \"%s\": wrong answer, or wrong value", i, rows[i].text);
	}
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

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(rate_default_burst(&rows[i].rate), rows[i].burst);
}

static void counts_come_back(void **state)
{
	static const struct {
		unsigned long long count;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 999, "999" },
		{ 1000, "1k" },
		{ 1001, "1001" },
		{ 1500000, "1500k" },
		{ 1000000, "1M" },
		{ 16000000000, "16G" },
		{ 1000000001, "1000000001" },
		{ 999000000000, "999G" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char text[COUNT_TEXT_SIZE];
	unsigned long long count;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(count_format(rows[i].count, text), rows[i].text);
		assert_int_equal(count_parse(text, &count), 0);
		assert_int_equal(count, rows[i].count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities),
		cmocka_unit_test(rates),
		cmocka_unit_test(a_burst_is_a_seconds_worth),
		cmocka_unit_test(counts_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
