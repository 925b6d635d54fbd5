// SPDX-License-Identifier: BSD-2-Clause
/* The rules by which a slot moves, one sentence each (docs/architecture.md, Slots and
 * transition).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/balance/slot.h"
#include "lib/base/array.h"

#define MARKS (SL_SLOT_TRACKING | SL_SLOT_FRESH)

enum { NOBODY = SL_NO_BACKEND, A, B, C, DEAD };

static bool serves(const void *arg, unsigned index)
{
	(void)arg;
	return index != DEAD;
}

struct row {
	const char *sentence;
	uint64_t before;
	unsigned next;
	uint64_t after;
};

#define SETTLED(current)          ((uint64_t)(current))
#define MOVING(current, previous) ((current) | (uint64_t)(previous) << SL_SLOT_INDEX_BITS | MARKS)
#define OLD(word)                 ((word) & ~SL_SLOT_FRESH)

static const struct row rows[] = {
	{ "settled, and nothing changes", SETTLED(A), A, SETTLED(A) },
	{ "settled, and moves: the old one is previous", SETTLED(A), B, MOVING(B, A) },
	{ "settled, and its backend is dead: stays settled", SETTLED(DEAD), B, SETTLED(B) },
	{ "settled, nobody had it: stays settled", SETTLED(NOBODY), B, SETTLED(B) },
	{ "settled, nobody takes it over, the old one lives", SETTLED(A), NOBODY,
	  MOVING(NOBODY, A) },
	{ "moves again: keeps its previous", MOVING(B, A), C, MOVING(C, A) },
	{ "moves back: the mark stays", MOVING(B, A), A, MOVING(A, A) },
	{ "its previous dies: current is previous, the mark stays", MOVING(B, DEAD), B,
	  MOVING(B, B) },
	{ "moves again while its previous is dead", MOVING(B, DEAD), C, MOVING(C, C) },
	{ "nothing changes, late: not fresh again", OLD(MOVING(B, A)), B, OLD(MOVING(B, A)) },
	{ "moves again, late: fresh again", OLD(MOVING(B, A)), C, MOVING(C, A) },
	{ "goes by a replaced table: goes on to", MOVING(B, NOBODY), C, MOVING(C, NOBODY) },
};

static void test_moves(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t word = slot_move(rows[i].before, rows[i].next, serves, NULL);

		if (word != rows[i].after)
			fail_msg("%s: %#lx, not %#lx", rows[i].sentence, (unsigned long)word,
				 (unsigned long)rows[i].after);
	}
}

static void test_settling_forgets_all_but_current(void **state)
{
	(void)state;
	assert_true(slot_settle(MOVING(B, A)) == SETTLED(B));
}

static void test_the_parts_of_a_word(void **state)
{
	__u64 word = sl_slot(SL_SLOT_INDEX_MASK, 1, SL_SLOT_TRACKING);

	(void)state;
	assert_int_equal(sl_slot_current(word), SL_SLOT_INDEX_MASK);
	assert_int_equal(sl_slot_previous(word), 1);
	word = sl_slot(1, SL_SLOT_INDEX_MASK, 0);
	assert_int_equal(sl_slot_current(word), 1);
	assert_int_equal(sl_slot_previous(word), SL_SLOT_INDEX_MASK);
	assert_false(word & (SL_SLOT_TRACKING | SL_SLOT_FRESH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_settling_forgets_all_but_current),
		cmocka_unit_test(test_the_parts_of_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
