// SPDX-License-Identifier: BSD-2-Clause
/* Limits from the configuration to the program, by the program's own arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/addr.h"
#include "lib/base/array.h"
#include "unit/limit/buckets.h"
#include "unit/limit/limits.h"

#define SECOND 1000000000ULL

/* Whether no other interval is nearer to the rate. */
static bool is_nearest(const struct sl_limit *limit, const struct rate *rate)
{
	__int128 period = (__int128)sl_ticks(rate->seconds * SECOND) << limit->shift;
	__int128 off = (__int128)limit->rate.interval * rate->count - period;

	return 2 * (off < 0 ? -off : off) <= (__int128)rate->count;
}

static void the_interval_is_exact(void **state)
{
	static const struct {
		enum sl_limit_count count;
		struct rate rate;
		double error;
	} rows[] = {
		{ SL_COUNT_BYTES, { 50000000000, 1 }, 1e-6 }, /* 400 Gbit/s */
		{ SL_COUNT_BYTES, { 49999999999, 1 }, 1e-6 },
		{ SL_COUNT_BYTES, { 255999999999, 1 }, 1e-6 },
		{ SL_COUNT_BYTES, { 125000000, 1 }, 1e-6 },
		{ SL_COUNT_BYTES, { 1000003, 60 }, 1e-6 },
		{ SL_COUNT_BYTES, { 7, 3600 }, 1e-6 },
		{ SL_COUNT_PACKETS, { 1, 3600 }, 1e-12 },
		{ SL_COUNT_PACKETS, { 7, 3600 }, 1e-12 },
		{ SL_COUNT_PACKETS, { 30000, 1 }, 1e-6 },
		{ SL_COUNT_PACKETS, { 1000000, 1 }, 1e-12 },
		{ SL_COUNT_CONNECTIONS, { 16000000000, 1 }, 0.5 / 16 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sl_limit limit = token_bucket(rows[i].count, rows[i].rate, 10000);
		double exact = 256e9 * rows[i].rate.seconds / (double)rows[i].rate.count;
		double got = (double)limit.rate.interval / (double)(1ULL << limit.shift);

		assert_true(got >= exact * (1 - rows[i].error));
		assert_true(got <= exact * (1 + rows[i].error));
		assert_true(limit.shift <= 24);
		assert_true(is_nearest(&limit, &rows[i].rate));
		/* The program multiplies in 64 bits, by what a packet can count. */
		if (rows[i].count == SL_COUNT_BYTES)
			assert_true(limit.rate.interval <= ((1ULL << 63) - 1) / 65535);
		assert_true(limit.rate.interval <= 1ULL << 62);
	}
}

/* A fraction is of use to sums alone; and there as long as it has room. */
static void the_shift_is_the_largest_that_fits(void **state)
{
	(void)state;
	assert_int_equal(token_bucket(SL_COUNT_BYTES, (struct rate){ 1000000, 1 }, 1).shift, 24);
	assert_int_equal(token_bucket(SL_COUNT_BYTES, (struct rate){ 7, 3600 }, 1).shift, 0);
	for (unsigned count = 14; count < 200; count++) {
		struct sl_limit limit =
			token_bucket(SL_COUNT_BYTES, (struct rate){ count, 60 }, 100);

		assert_true(limit.shift < 24);
		assert_true(2 * limit.rate.interval + 1 >= (1ULL << 63) / 65535);
	}
	assert_int_equal(token_bucket(SL_COUNT_PACKETS, (struct rate){ 3, 1 }, 1).shift, 0);
}

static void what_cannot_be_counted_has_no_burst(void **state)
{
	static const struct {
		enum sl_limit_count count;
		struct rate rate;
		bool fits;
	} rows[] = {
		{ SL_COUNT_PACKETS, { 1, 3600 }, true },
		{ SL_COUNT_PACKETS, { 16000000000, 1 }, true },
		{ SL_COUNT_PACKETS, { 16000000001, 1 }, false },
		{ SL_COUNT_CONNECTIONS, { UINT64_MAX, 1 }, false },
		{ SL_COUNT_BYTES, { 50000000000, 1 }, true },
		{ SL_COUNT_BYTES, { 256000000000, 1 }, true },
		{ SL_COUNT_BYTES, { 256000000001, 1 }, false },
		{ SL_COUNT_BYTES, { UINT64_MAX, 3600 }, false },
		{ SL_COUNT_BYTES, { 7, 3600 }, true },
		/* A large packet would cost more than 64 bits hold. */
		{ SL_COUNT_BYTES, { 6, 3600 }, false },
		{ SL_COUNT_BYTES, { 1, 3600 }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(limit_max_burst(&rows[i].rate, rows[i].count) != 0, rows[i].fits);
}

static void the_largest_burst_fits_and_one_more_does_not(void **state)
{
	static const struct {
		enum sl_limit_count count;
		struct rate rate;
	} rows[] = {
		{ SL_COUNT_PACKETS, { 1, 3600 } },        { SL_COUNT_PACKETS, { 1000, 1 } },
		{ SL_COUNT_PACKETS, { 16000000000, 1 } }, { SL_COUNT_BYTES, { 7, 3600 } },
		{ SL_COUNT_BYTES, { 50000000000, 1 } },   { SL_COUNT_BYTES, { 1234567, 60 } },
		{ SL_COUNT_BYTES, { 256000000000, 1 } },  { SL_COUNT_CONNECTIONS, { 3, 60 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned long long most = limit_max_burst(&rows[i].rate, rows[i].count);
		struct sl_limit limit = token_bucket(rows[i].count, rows[i].rate, most);
		unsigned __int128 more = (unsigned __int128)(most + 1) * limit.rate.interval;

		assert_true(limit.rate.depth <= 1ULL << 62);
		assert_true(more >> limit.shift >= 1ULL << 62);
		/* TATs are compared as signed differences. */
		assert_true(limit.gate_cap < (1ULL << 63) - (1ULL << 60));
		assert_int_equal(limit_state(&limit, &(struct sl_bucket){}, 1).limit, most);
	}
}

static void the_gate_has_a_share(void **state)
{
	const unsigned long long second = sl_ticks(SECOND), ms = second / 1000;
	const struct {
		enum sl_limit_count count;
		struct rate rate;
		unsigned long long burst, gate_depth, beyond;
	} rows[] = {
		{ SL_COUNT_PACKETS, { 1000, 1 }, 1000, 250 * ms, second },
		{ SL_COUNT_PACKETS, { 1000, 1 }, 10000, 2500 * ms, 10 * second },
		{ SL_COUNT_PACKETS, { 1000, 1 }, 5, 5 * ms / 4, second },
		{ SL_COUNT_CONNECTIONS, { 60, 60 }, 8, 2 * second, 8 * second },
		{ SL_COUNT_BYTES, { 1000000, 1 }, 1000000, 250 * ms, second },
		{ SL_COUNT_BYTES, { 1000000, 1 }, 4000, ms, second },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sl_limit limit = token_bucket(rows[i].count, rows[i].rate, rows[i].burst);

		assert_int_equal(limit.gate_depth, rows[i].gate_depth);
		assert_int_equal(limit.gate_cap, rows[i].gate_depth + rows[i].beyond);
	}
}

static void what_is_not_a_sources_bucket_has_no_gate(void **state)
{
	struct limit_config config = config_of(SL_COUNT_BYTES, (struct rate){ 1000000, 1 }, 70000);
	struct sl_limit limit;

	(void)state;
	config.per_service = true;
	limit = limit_wire(&config);
	assert_int_equal(limit.gate_depth, 0);
	assert_int_equal(limit.gate_cap, 0);
	assert_int_equal(limit.rate.depth, sl_ticks(SECOND) / 100 * 7);
	limit = window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ 50, 60 });
	assert_int_equal(limit.gate_depth, 0);
	/* One that arrives is charged a sixteenth more than a quarter of four. */
	limit = token_bucket(SL_COUNT_PACKETS, (struct rate){ 1000, 1 }, 4);
	assert_int_equal(limit.gate_depth, 0);
	assert_int_equal(limit.gate_cap, 0);
}

static void windows_are_lengths_and_counts(void **state)
{
	struct sl_limit limit = window(SL_ALGORITHM_FIXED_WINDOW, (struct rate){ 50, 60 });

	(void)state;
	assert_int_equal(limit.algorithm, SL_ALGORITHM_FIXED_WINDOW);
	assert_int_equal(limit.rate.interval, sl_ticks(60 * SECOND));
	assert_int_equal(limit.rate.depth, 50);
	assert_int_equal(limit.shift, 0);
	limit = window(SL_ALGORITHM_SLIDING_WINDOW, (struct rate){ UINT64_MAX, 1 });
	assert_true(limit.rate.depth + 65535 <= SL_WINDOW_UNITS_MAX);
}

static void every_other_member_is_taken_over(void **state)
{
	struct limit_config config = config_of(SL_COUNT_PACKETS, (struct rate){ 10, 1 }, 10);
	struct sl_limit limit;

	(void)state;
	assert_int_equal(limit_wire(&config).flags, 0);
	config.dry_run = true;
	assert_int_equal(limit_wire(&config).flags, SL_LIMIT_DRY_RUN);
	config.pressure_refuses = true;
	config.exempt.n = 1;
	config.per_service = true;
	config.prefix_v4 = 24;
	config.prefix_v6 = 128;
	config.count = SL_COUNT_CONNECTIONS;
	config.action = SL_ACTION_RESPOND;
	limit = limit_wire(&config);
	assert_int_equal(limit.flags, SL_LIMIT_DRY_RUN | SL_LIMIT_PRESSURE_REFUSES |
					      SL_LIMIT_EXEMPT | SL_LIMIT_PER_SERVICE);
	assert_int_equal(limit.prefix_v4, 24);
	assert_int_equal(limit.prefix_v6, 128);
	assert_int_equal(limit.count, SL_COUNT_CONNECTIONS);
	assert_int_equal(limit.action, SL_ACTION_RESPOND);
	/* The datapath's to give. */
	assert_int_equal(limit.id | limit.number | limit.replaced | limit.pad, 0);
}

/* The numbers mean what they say: a source that always sends gets
 * rate x time + burst.
 */
static void a_greedy_source_gets_rate_and_burst(void **state)
{
	static const struct {
		enum sl_limit_count count;
		struct rate rate;
		unsigned long long burst;
		unsigned units;
		unsigned long long gap_ns;
	} rows[] = {
		{ SL_COUNT_PACKETS, { 1000, 1 }, 50, 1, 100000 },
		{ SL_COUNT_PACKETS, { 7000, 60 }, 3, 1, 1000000 },
		{ SL_COUNT_BYTES, { 50000000000, 1 }, 10000000, 1500, 10 },
		{ SL_COUNT_BYTES, { 1000000, 60 }, 100000, 1400, 20000000 },
		{ SL_COUNT_CONNECTIONS, { 1, 3600 }, 2, 1, 60 * SECOND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sl_limit limit = token_bucket(rows[i].count, rows[i].rate, rows[i].burst);
		struct sl_bucket bucket = {};
		double passed = 0, time = 50000 * (double)rows[i].gap_ns / 1e9;
		double due = (double)rows[i].rate.count / rows[i].rate.seconds * time +
			     (double)rows[i].burst;

		for (unsigned n = 0; n < 50000; n++)
			if (bucket_take(&limit, &bucket, rows[i].units,
					sl_ticks(SECOND + n * rows[i].gap_ns)))
				passed += rows[i].units;
		assert_true(passed <= due * 1.0005);
		assert_true(passed >= due * 0.9995 - 2 * rows[i].units);
	}
}

static void a_source_is_its_prefix(void **state)
{
	static const struct {
		const char *address, *source;
		unsigned bits;
	} rows[] = {
		{ "192.0.2.77", "192.0.2.77", 32 },
		{ "192.0.2.77", "192.0.2.0", 24 },
		{ "192.0.2.255", "192.0.2.254", 31 },
		{ "192.0.2.77", "128.0.0.0", 1 },
		{ "2001:db8::7", "2001:db8::7", 128 },
		{ "2001:db8::7", "2001:db8::6", 127 },
		{ "2001:db8::7", "2001:db8::", 64 },
		{ "2001:db8:a:b:f::7", "2001:db8:a:b::", 64 },
		{ "2001:db8:a:b:f::7", "2001:db8:a::", 48 },
		{ "2001:db8:a:b:ffff::7", "2001:db8:a:b:8000::", 65 },
		{ "ffff::1", "8000::", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sl_limit limit = { .id = 77 };
		struct ip address, wanted;
		struct sl_source source;

		assert_int_equal(ip_parse(rows[i].address, &address), 0);
		assert_int_equal(ip_parse(rows[i].source, &wanted), 0);
		/* The other family's must not matter. */
		limit.prefix_v4 = limit.prefix_v6 = 9;
		if (address.family == SL_FAMILY_IPV4)
			limit.prefix_v4 = (__u8)rows[i].bits;
		else
			limit.prefix_v6 = (__u8)rows[i].bits;
		source = limit_source(&limit, &address.addr, address.family);
		assert_memory_equal(&source.addr, &wanted.addr, sizeof(wanted.addr));
		assert_int_equal(source.id, 77);
		assert_int_equal(source.family, address.family);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_is_exact),
		cmocka_unit_test(the_shift_is_the_largest_that_fits),
		cmocka_unit_test(what_cannot_be_counted_has_no_burst),
		cmocka_unit_test(the_largest_burst_fits_and_one_more_does_not),
		cmocka_unit_test(the_gate_has_a_share),
		cmocka_unit_test(what_is_not_a_sources_bucket_has_no_gate),
		cmocka_unit_test(windows_are_lengths_and_counts),
		cmocka_unit_test(every_other_member_is_taken_over),
		cmocka_unit_test(a_greedy_source_gets_rate_and_burst),
		cmocka_unit_test(a_source_is_its_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
