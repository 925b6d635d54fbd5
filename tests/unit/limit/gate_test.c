// SPDX-License-Identifier: BSD-2-Clause
/* The gate's arithmetic, one arrival at a time. */
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
#include "unit/limit/limits.h"

#define SECOND (1000000000ULL << SL_TICK_SHIFT)
#define MS     (SECOND / 1000)
#define START  (1000 * SECOND)

static struct sl_limit limit_of(unsigned per_second, unsigned long long burst)
{
	return token_bucket(SL_COUNT_PACKETS, (struct rate){ per_second, 1 }, burst);
}

/* ---- places ------------------------------------------------------------------- */

static struct sl_source source_of(unsigned number, __u32 id)
{
	struct sl_source source = { .family = SL_FAMILY_IPV4, .id = id };

	source.addr.bytes[10] = source.addr.bytes[11] = 0xff;
	for (unsigned i = 0; i < 4; i++)
		source.addr.bytes[15 - i] = (__u8)(number >> 8 * i);
	return source;
}

static void test_places_are_even(void **state)
{
	enum { SOURCES = 1 << 18, MASK = 63 };
	unsigned lines[MASK + 1] = {}, cells[SL_GATE_CELLS] = {};
	const unsigned a_line = SOURCES / (MASK + 1);
	const unsigned a_cell = SOURCES / SL_GATE_CELLS;

	(void)state;
	for (unsigned i = 0; i < SOURCES; i++) {
		struct sl_source source = source_of(0xc0000200 + i, 3);
		struct sl_gate_place place = sl_gate_place(sl_hash_source(&source, 99), MASK);

		assert_true(place.line <= MASK);
		assert_true(place.cell < SL_GATE_CELLS);
		lines[place.line]++;
		cells[place.cell]++;
	}
	for (unsigned i = 0; i <= MASK; i++)
		assert_in_range(lines[i], a_line * 9 / 10, a_line * 11 / 10);
	for (unsigned i = 0; i < SL_GATE_CELLS; i++)
		assert_in_range(cells[i], a_cell * 9 / 10, a_cell * 11 / 10);
}

/* Nobody can tell from one key or seed where another will be. */
static void test_every_part_of_the_key_counts(void **state)
{
	struct sl_source base = source_of(0x0a000001, 5), other;
	__u64 hash = sl_hash_source(&base, 7);

	(void)state;
	assert_int_not_equal(sl_hash_source(&base, 8), hash);
	other = source_of(0x0a000002, 5);
	assert_int_not_equal(sl_hash_source(&other, 7), hash);
	other = source_of(0x0a000001, 6);
	assert_int_not_equal(sl_hash_source(&other, 7), hash);
	base.family = SL_FAMILY_IPV6;
	assert_int_not_equal(sl_hash_source(&base, 7), hash);
	hash = sl_hash_source(&base, 7);
	other = base;
	other.addr.bytes[7] ^= 1; /* the last bit of a /64 */
	assert_int_not_equal(sl_hash_source(&other, 7), hash);
	/* Seeds move pairs apart that another one has put together. */
	for (unsigned i = 0, together = 0; i < 4096; i++) {
		other = source_of(0x0a000100, 5);
		base = source_of(0x0a000200, 5);
		together += (sl_hash_source(&base, i) & 63) == (sl_hash_source(&other, i) & 63);
		if (i == 4095)
			assert_in_range(together, 20, 130);
	}
}

/* ---- one arrival ------------------------------------------------------------------ */

static void test_charging(void **state)
{
	struct sl_limit limit = limit_of(1000, 1000);
	const __u64 now = START, depth = limit.gate_depth, cap = limit.gate_cap;
	const struct {
		__u64 cell, cost;
		int result;
		__u64 next;
	} rows[] = {
		{ 0, MS, 1, now + MS },
		{ now - 5, MS, 1, now + MS }, /* the past is now */
		{ now + 5 * MS, MS, 1, now + 6 * MS },
		{ now + depth - MS, MS, 1, now + depth },
		{ now + depth - MS + 1, MS, 0, now + depth + 1 },
		{ now + cap - MS, MS, 0, now + cap },
		{ now + cap - MS + 1, MS, -1, 42 },
		{ now + cap * 3, MS, -1, 42 },
		{ now, cap + 1, -1, 42 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		__u64 next = 42;

		assert_int_equal(sl_gate_charge(&limit, rows[i].cell, now, rows[i].cost, &next),
				 rows[i].result);
		assert_int_equal(next, rows[i].next);
	}
}

/* Cells that nobody has used are full, whatever the uptime. */
static void test_new_cells_at_any_time(void **state)
{
	struct sl_limit limit = limit_of(1000, 1000);
	__u64 next;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_int_equal(sl_gate_charge(&limit, 0, 1ULL << bit, MS, &next), 1);
		assert_int_equal(next, (1ULL << bit) + MS);
	}
}

static void test_tags(void **state)
{
	uint64_t random = 29;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		__u64 word = random_next(&random) & random_next(&random);
		__u16 tag = (__u16)(random_next(&random) & random_next(&random));
		bool has = false;

		if (random_below(&random, 2))
			word = (word & ~(0xffffULL << 16 * (i % 4))) | (__u64)tag << 16 * (i % 4);
		for (unsigned lane = 0; lane < 4; lane++)
			has |= (__u16)(word >> 16 * lane) == tag;
		assert_int_equal(sl_gate_has_tag(word, tag), has);
	}
	/* No source has the tag of a line that nobody has used. */
	for (unsigned i = 0; i < 1000; i++)
		assert_int_not_equal(sl_gate_place(random_next(&random), 0).tag, 0);
	assert_int_not_equal(sl_gate_place(0, 0).tag, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_even),
		cmocka_unit_test(test_every_part_of_the_key_counts),
		cmocka_unit_test(test_charging),
		cmocka_unit_test(test_new_cells_at_any_time),
		cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
