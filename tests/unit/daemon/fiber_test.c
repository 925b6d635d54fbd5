// SPDX-License-Identifier: BSD-2-Clause
/* Fibers on a real loop: their turns, their locks, and that all of them come to their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/fiber.c"
#include "lib/base/array.h"

#define NOTES 64

static struct {
	uv_loop_t loop;
	struct fiber_lock lock;
	struct fiber *sleeper;
	char notes[NOTES + 1]; /* what was done, in this order */
	unsigned n_notes, rounds;
	bool stop, long_enough;
} t;

void log_write(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void note(char what)
{
	if (t.n_notes < NOTES)
		t.notes[t.n_notes++] = what;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	memset(&fibers, 0, sizeof(fibers));
	assert_int_equal(uv_loop_init(&t.loop), 0);
	fibers_open(&t.loop);
	fiber_lock_init(&t.lock);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_null(fibers.self);
	assert_true(TAILQ_EMPTY(&fibers.ready));
	fibers_close();
	assert_int_equal(uv_run(&t.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&t.loop), 0);
	return 0;
}

/* However slow the machine is, this round has time for its first turn. */
static void start(fiber_fn *run, void *arg)
{
	fibers.round_end = UINT64_MAX;
	assert_int_equal(fiber_start(run, arg), 0);
	fibers.round_end = uv_hrtime() + ROUND_NS;
}

/* ---- turns --------------------------------------------------------------- */

static void short_work(void *arg)
{
	note(*(const char *)arg);
	assert_non_null(fiber_self());
}

static void a_short_one_ends_before_its_start_returns(void **state)
{
	(void)state;
	start(short_work, "a");
	assert_string_equal(t.notes, "a");
	assert_null(fiber_self());
}

/* Work until the loop has gone on for some rounds, and others have had their turns. */
static void long_work(void *arg)
{
	while (!t.stop)
		yield_point();
	note(*(const char *)arg);
}

static void on_timer(uv_timer_t *timer)
{
	if (++t.rounds < 5)
		return;
	t.stop = true;
	uv_close((uv_handle_t *)timer, NULL);
}

static void the_loop_goes_on_beside_a_long_one(void **state)
{
	uv_timer_t timer;

	(void)state;
	assert_int_equal(uv_timer_init(&t.loop, &timer), 0);
	assert_int_equal(uv_timer_start(&timer, on_timer, 1, 1), 0);
	start(long_work, "a");
	start(long_work, "b");
	start(short_work, "c");
	fibers_run();
	assert_int_equal(t.rounds, 5);
	assert_int_equal(strlen(t.notes), 3);
	assert_int_equal(t.notes[0], 'c'); /* the others end when the timer has said so */
	assert_true(fibers_longest_round() > 0);
}

/* arg: how many steps of work this is, after which its turn is over. */
static void one_piece(void *arg)
{
	fibers.turn_end = 0;
	yield_after(*(const unsigned *)arg);
	note('a');
}

static void a_long_piece_has_the_clock_looked_at(void **state)
{
	unsigned few = LOOK_EVERY - 1, many = LOOK_EVERY;

	(void)state;
	start(one_piece, &few);
	assert_string_equal(t.notes, "a");
	start(one_piece, &many);
	note('b');
	fibers_run();
	assert_string_equal(t.notes, "aba");
}

static void a_yield_point_keeps_errno(void **state)
{
	(void)state;
	errno = ENOTTY;
	for (unsigned i = 0; i < 2 * LOOK_EVERY; i++)
		yield_point(); /* the loop's stack never gives way */
	assert_int_equal(errno, ENOTTY);
}

static void work_with_errno(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t begun = uv_hrtime();

		errno = ENOTTY;
		while (uv_hrtime() < begun + 2ULL * TURN_NS)
			yield_point();
		assert_int_equal(errno, ENOTTY);
	}
	note('a');
}

static void spoil_errno(uv_check_t *check)
{
	(void)check;
	errno = EINTR;
	t.rounds++;
}

static void a_turn_that_ends_keeps_errno(void **state)
{
	uv_check_t check;

	(void)state;
	assert_int_equal(uv_check_init(&t.loop, &check), 0);
	assert_int_equal(uv_check_start(&check, spoil_errno), 0);
	uv_unref((uv_handle_t *)&check);
	start(work_with_errno, NULL);
	fibers_run();
	assert_string_equal(t.notes, "a");
	assert_true(t.rounds > 1);
	uv_close((uv_handle_t *)&check, NULL);
	(void)uv_run(&t.loop, UV_RUN_DEFAULT);
}

/* ---- sleeping ------------------------------------------------------------ */

static void sleep_once(void *arg)
{
	(void)arg;
	t.sleeper = fiber_self();
	note('s');
	fiber_sleep();
	note('w');
}

static void wake(void *arg)
{
	(void)arg;
	note('k');
	fiber_wake(t.sleeper);
	fiber_wake(t.sleeper);
}

static void who_sleeps_is_woken(void **state)
{
	(void)state;
	start(sleep_once, NULL);
	assert_int_equal(uv_run(&t.loop, UV_RUN_NOWAIT), 0);
	assert_string_equal(t.notes, "s");
	start(wake, NULL);
	fibers_run();
	assert_string_equal(t.notes, "skw");
}

static void wake_itself(void *arg)
{
	(void)arg;
	fiber_wake(fiber_self());
	fiber_sleep();
	note('a');
}

static void who_is_woken_before_does_not_sleep(void **state)
{
	(void)state;
	start(wake_itself, NULL);
	assert_string_equal(t.notes, "a");
}

/* ---- locks --------------------------------------------------------------- */

static void share(void *arg)
{
	fiber_lock_share(&t.lock);
	note(*(const char *)arg);
	while (!t.long_enough)
		fiber_sleep();
	fiber_lock_unshare(&t.lock);
}

static void sharer(void *arg)
{
	t.sleeper = fiber_self();
	share(arg);
}

static void take(void *arg)
{
	fiber_lock_take(&t.lock);
	note(*(const char *)arg);
	fiber_lock_give(&t.lock);
}

static void one_alone_waits_for_all_and_others_wait_for_it(void **state)
{
	(void)state;
	start(sharer, "1");
	start(take, "2");
	start(share, "3");
	(void)uv_run(&t.loop, UV_RUN_NOWAIT);
	assert_string_equal(t.notes, "1"); /* 3 came behind 2 */
	t.long_enough = true;
	fiber_wake(t.sleeper);
	fibers_run();
	assert_string_equal(t.notes, "123");
	assert_false(t.lock.taken);
	assert_int_equal(t.lock.sharing, 0);
	assert_true(TAILQ_EMPTY(&t.lock.waiters));
}

static void hold(void *arg)
{
	fiber_lock_take(&t.lock);
	note(*(const char *)arg);
	while (!t.long_enough)
		fiber_sleep();
	fiber_lock_give(&t.lock);
}

static void holder(void *arg)
{
	t.sleeper = fiber_self();
	hold(arg);
}

/* The lock is free for a moment before "2" has its turn. */
static void nobody_overtakes_who_waits(void **state)
{
	(void)state;
	start(holder, "1");
	start(take, "2");
	start(take, "3");
	t.long_enough = true;
	fiber_wake(t.sleeper);
	assert_true(next_turn());
	assert_string_equal(t.notes, "1");
	assert_false(t.lock.taken);
	start(take, "4");
	fibers_run();
	assert_string_equal(t.notes, "1234");
}

/* ---- many, and the end --------------------------------------------------- */

static void take_in_turn(void *arg)
{
	unsigned *count = arg;

	fiber_lock_take(&t.lock);
	for (unsigned i = 0; i < 1000; i++)
		yield_point();
	++*count;
	fiber_lock_give(&t.lock);
}

static void a_thousand_fibers_end(void **state)
{
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		start(take_in_turn, &count);
	fibers_run();
	assert_int_equal(count, 1000);
	assert_true(fibers.n_stacks <= STACKS_KEPT);
}

static void work_on(void *arg)
{
	uint64_t begun = uv_hrtime();

	while (uv_hrtime() < begun + 4ULL * TURN_NS)
		yield_point();
	note(*(const char *)arg);
}

static void finishing_waits_for_no_turn(void **state)
{
	(void)state;
	start(work_on, "a");
	start(work_on, "b");
	fibers_finish();
	assert_int_equal(strlen(t.notes), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_short_one_ends_before_its_start_returns),
		TEST(the_loop_goes_on_beside_a_long_one),
		TEST(a_long_piece_has_the_clock_looked_at),
		TEST(a_yield_point_keeps_errno),
		TEST(a_turn_that_ends_keeps_errno),
		TEST(who_sleeps_is_woken),
		TEST(who_is_woken_before_does_not_sleep),
		TEST(one_alone_waits_for_all_and_others_wait_for_it),
		TEST(nobody_overtakes_who_waits),
		TEST(a_thousand_fibers_end),
		TEST(finishing_waits_for_no_turn),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
