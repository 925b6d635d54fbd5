// SPDX-License-Identifier: BSD-2-Clause
/* Checks over time: rise and fall, the schedule, sharing, freeing. */
#include "unit/health/checks_loop.h"

#include <sys/param.h>

/* One connection for each probe: of those that have ended, and at most one that
 * is under way.
 */
static void assert_probes(const struct backend *backend, const struct check_result *result)
{
	assert_in_range(backend->connections, result->run, result->run + 1);
}

/* ---- up and down -------------------------------------------------------- */

static void test_http_rise_and_fall(void **state)
{
	const char *good = OK_HEAD EMPTY;
	const char *bad = "HTTP/1.1 503 No\r\n" EMPTY;
	struct backend backend = { .text = good };
	struct check_config config = http_check;
	const struct check_result *result;
	unsigned connections;

	(void)state;
	config.rise = 2;
	config.fall = 3;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	assert_false(result->up);
	assert_false(result->probed);
	assert_string_equal(result->text, "not checked yet");
	RUN_UNTIL(t.told == 1);
	assert_true(result->up);
	assert_int_equal(result->run, 2);
	assert_probes(&backend, result);

	backend.text = bad;
	RUN_UNTIL(t.told == 2);
	assert_false(result->up);
	assert_int_equal(result->run, 3);
	assert_string_equal(result->text, "HTTP 503, wanted 200-299");
	assert_true(result->changed_ms <= uv_now(&t.loop));

	connections = backend.connections;
	backend.text = good;
	RUN_UNTIL(t.told == 3);
	assert_true(result->up);
	assert_int_equal(result->run, 2);
	assert_in_range(backend.connections, connections + 2, connections + 3);
	backend_stop(&backend);
}

/* The listener goes and comes back on its port. */
static void test_tcp_rise_and_fall(void **state)
{
	struct check_config config = tcp_check;
	const struct check_result *result;
	__be16 port = 0;
	int keeper = backend_bind(AF_INET, &port); /* of the port, while nobody listens */
	int fd = backend_bind(AF_INET, &port);

	(void)state;
	config.rise = 2;
	config.fall = 2;
	assert_int_equal(listen(fd, 128), 0);
	result = check_get(make(&config, port));
	RUN_UNTIL(t.told == 1);
	assert_true(result->up);
	(void)shutdown(fd, SHUT_RDWR);
	RUN_UNTIL(t.told == 2);
	assert_false(result->up);
	assert_string_equal(result->text, "connection refused");
	assert_int_equal(listen(fd, 128), 0);
	RUN_UNTIL(t.told == 3);
	assert_true(result->up);
	assert_string_equal(result->text, "connected");
	(void)close(fd);
	(void)close(keeper);
}

/* The first verdict does not wait for whole intervals. */
static void test_start_is_fast(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };
	struct check_config config = http_check;
	uint64_t start = uv_hrtime();

	(void)state;
	config.interval_ms = 4000;
	config.jitter_percent = 10;
	config.rise = 2;
	assert_true(backend_start(&backend, AF_INET));
	(void)make(&config, backend.port);
	RUN_UNTIL(t.told == 1);
	assert_in_range((uv_hrtime() - start) / 1000000, 890, 3500);
	backend_stop(&backend);
}

static void test_predecessor_says_up(void **state)
{
	struct check_config config = tcp_check;
	const struct check_result *result;
	__be16 port = 0;
	int fd = backend_bind(AF_INET, &port);

	(void)state;
	config.fall = 3;
	result = check_get(make_check(&config, "127.0.0.1", port, true));
	assert_true(result->up);
	assert_false(result->probed);
	RUN_UNTIL(result->run == 2);
	assert_true(result->up);
	RUN_UNTIL(t.told == 1);
	assert_int_equal(result->run, 3);
	(void)close(fd);
}

static void test_none_is_up(void **state)
{
	const struct check_config config = { .type = CHECK_NONE };
	const struct check_result *result = check_get(make(&config, htons(9)));

	(void)state;
	assert_true(result->up);
	assert_false(result->probed);
	assert_string_equal(result->text, "not checked");
	assert_false(uv_is_active((uv_handle_t *)&t.made[0]->target->timer));
}

/* ---- the schedule ------------------------------------------------------- */

static void test_intervals(void **state)
{
	struct target target = {
		.checks = t.checks,
		.spec.config = { .interval_ms = 2000, .jitter_percent = 10 },
		.health = { .settled = true },
	};
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		uint64_t interval = target_interval_ms(&target);

		least = MIN(least, interval);
		most = MAX(most, interval);
	}
	assert_in_range(least, 1800, 1810);
	assert_in_range(most, 2190, 2200);

	target.spec.config.jitter_percent = 0;
	assert_int_equal(target_interval_ms(&target), 2000);
	target.health.settled = false;
	assert_int_equal(target_interval_ms(&target), 500);
	target.spec.config.interval_ms = 240;
	assert_int_equal(target_interval_ms(&target), 100);
	target.spec.config.interval_ms = 2000;
	t.checks->n_probed = 4000;
	assert_int_equal(target_interval_ms(&target), 800);
	t.checks->n_probed = 50000; /* never slower than configured */
	assert_int_equal(target_interval_ms(&target), 2000);
	t.checks->n_probed = 0;
}

/* A time limit longer than the interval: still one connection at a time. */
static void test_no_overlap(void **state)
{
	struct backend backend = { .mode = BACKEND_SILENT };
	struct check_config config = http_check;
	const struct check_result *result;

	(void)state;
	config.interval_ms = 100;
	config.timeout_ms = 250;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	while (result->run < 4) {
		unsigned run = result->run;

		RUN_UNTIL(result->run > run || backend.connections > run + 1);
		assert_probes(&backend, result);
	}
	backend_stop(&backend);
}

/* A server that would keep connections open gets a new one for each probe. */
static void test_fresh_connections(void **state)
{
	struct backend backend = { .mode = BACKEND_KEEP, .text = OK_HEAD EMPTY };
	const struct check_result *result;

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&http_check, backend.port));
	RUN_UNTIL(result->run == 3);
	assert_probes(&backend, result);
	backend_stop(&backend);
}

/* Neither side shall keep the connections of probes in TIME_WAIT. */
static void test_connections_are_reset(void **state)
{
	struct backend backend = { .mode = BACKEND_KEEP, .text = OK_HEAD EMPTY };

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++) {
		unsigned resets = backend.resets;

		(void)make(both_kinds[i], backend.port);
		RUN_UNTIL(backend.resets >= resets + 2);
		drop_check(--t.n_made);
	}
	backend_stop(&backend);
}

/* How many of the made checks wait for their start, and which is the last of them. */
static size_t count_waiting(size_t *ret_last)
{
	size_t waiting = 0;

	for (size_t i = 0; i < t.n_made; i++)
		if (t.made[i]->target->is_due) {
			waiting++;
			*ret_last = i;
		}
	return waiting;
}

/* All due at once: the loop gets a turn in between, and a check that waits for
 * its start can be freed.
 */
static void test_queue_of_starts(void **state)
{
	const size_t n = 3 * TARGET_STARTS_PER_TURN;
	struct check_config config = tcp_check;
	size_t waiting = n, last = 0;
	__be16 port = 0;
	int fd = backend_bind(AF_INET, &port);

	(void)state;
	config.interval_ms = 60000;
	assert_int_equal(listen(fd, 1024), 0);
	for (size_t i = 0; i < n; i++) {
		config.timeout_ms = 4000 + i;
		(void)make(&config, port);
	}
	(void)poll(NULL, 0, (int)(n * TARGET_START_SPREAD_MS) + 50);
	/* libuv runs a timer of 0 ms in the turn that starts it, or in the next one. */
	for (unsigned turn = 0; turn < 2 && waiting == n; turn++) {
		(void)uv_run(&t.loop, UV_RUN_NOWAIT);
		waiting = count_waiting(&last);
	}
	assert_int_equal(waiting, n - TARGET_STARTS_PER_TURN);
	drop_check(last);
	RUN_UNTIL(t.told == n - 1);
	(void)close(fd);
}

static void release(uv_timer_t *timer)
{
	struct backend *backend = timer->data;

	backend->release = true;
}

/* This loop was busy elsewhere for longer than the limit. What that took is not
 * held against the backend, which answers soon afterwards.
 */
static void test_held_up_loop(void **state)
{
	struct backend backend = { .mode = BACKEND_HOLD, .text = OK_HEAD EMPTY };
	struct check_config config = http_check;
	const struct check_result *result;
	uv_timer_t soon;

	(void)state;
	config.timeout_ms = 300;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	RUN_UNTIL(backend.connections == 1);
	(void)poll(NULL, 0, 900);
	(void)uv_timer_init(&t.loop, &soon);
	soon.data = &backend;
	uv_update_time(&t.loop);
	(void)uv_timer_start(&soon, release, 20, 0);
	RUN_UNTIL(result->probed);
	assert_string_equal(result->text, "HTTP 200");
	uv_close((uv_handle_t *)&soon, NULL);
	(void)uv_run(&t.loop, UV_RUN_NOWAIT);
	backend_stop(&backend);
}

/* ---- sharing and freeing ------------------------------------------------ */

static void test_equal_checks_are_one(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };
	struct check_config config = http_check, other = http_check;
	const struct check_result *result;

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	config.path = strdup("/same");
	result = check_get(make(&config, backend.port));
	config.port = backend.port; /* overrides the backend's */
	(void)make(&config, htons(1));
	(void)make(&config, backend.port);
	assert_ptr_equal(check_get(t.made[1]), result);
	assert_ptr_equal(check_get(t.made[2]), result);
	free(config.path);
	RUN_UNTIL(result->run == 4);
	assert_probes(&backend, result);
	assert_int_equal(t.told, 3);

	/* Who joins takes the state; who leaves takes nothing away. */
	other.path = (char *)"/same";
	assert_ptr_equal(check_get(make(&other, backend.port)), result);
	assert_true(result->up);
	drop_check(0);
	drop_check(2);
	RUN_UNTIL(result->run == 6);
	assert_probes(&backend, result);
	backend_stop(&backend);
}

static void free_all(void *arg)
{
	was_told(arg);
	for (size_t i = 0; i < t.n_made; i++)
		drop_check(i);
	t.n_made = 0;
}

static void make_another(void *arg)
{
	const struct check_config *config = arg;

	was_told(arg);
	(void)make(config, t.made[0]->target->spec.port);
}

/* Freed by the callback of one asker: all askers, and a probe under way. */
static void test_free_in_callback(void **state)
{
	struct backend silent = { .mode = BACKEND_SILENT };
	struct backend backend = { .text = OK_HEAD EMPTY };

	(void)state;
	assert_true(backend_start(&silent, AF_INET));
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++) {
		t.told = 0;
		(void)make(&http_check, silent.port);
		RUN_UNTIL(silent.connections == i + 1);
		for (size_t j = 0; j < 3; j++)
			make(both_kinds[i], backend.port)->changed = free_all;
		RUN_UNTIL(t.n_made == 0);
		assert_int_equal(t.told, 1);
		assert_null(t.checks->targets);
	}
	backend_stop(&backend);
	backend_stop(&silent);
}

static void test_make_in_callback(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };
	struct check *first;

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	first = make(&http_check, backend.port);
	first->changed = make_another;
	first->arg = (void *)&http_check;
	RUN_UNTIL(t.told == 1);
	assert_int_equal(t.n_made, 2);
	assert_true(check_get(t.made[1])->up);
	RUN_UNTIL(check_get(first)->run == 3);
	assert_int_equal(t.told, 1); /* who joined was not told what it knew */
	backend_stop(&backend);
}

/* So long that a turn of the loop has no time for many. */
static void take_time(void *arg)
{
	const uint64_t end = uv_hrtime() + 600000;

	was_told(arg);
	while (uv_hrtime() < end)
		;
}

/* The loop goes on in between; who leaves meanwhile is not told, who joins knows it already. */
static void test_many_askers(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < CHECKS_MAX - 1; i++)
		make(&http_check, backend.port)->changed = take_time;
	RUN_UNTIL(t.told);
	assert_in_range(t.told, 1, CHECKS_MAX / 2);
	assert_true(make(&http_check, backend.port)->target->result.up);
	drop_check(0); /* the last to be told */
	drop_check(CHECKS_MAX - 2);
	RUN_UNTIL(TAILQ_EMPTY(&t.checks->telling));
	assert_int_equal(t.told, CHECKS_MAX - 2);
	t.told = 0;
	backend.text = "HTTP/1.1 503 No\r\n" EMPTY;
	RUN_UNTIL(t.told);
	assert_false(check_get(t.made[1])->up);
	backend_stop(&backend); /* the rest is not told any more */
}

static void test_free_in_flight(void **state)
{
	struct backend backend = { .mode = BACKEND_SILENT };
	struct check_config config = http_check;

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	for (unsigned i = 0; i < 5; i++) {
		(void)make(&config, backend.port);
		RUN_UNTIL(backend.connections == i + 1);
		drop_check(--t.n_made);
	}
	(void)make(&config, backend.port); /* one is left for the end of the test */
	RUN_UNTIL(backend.connections == 6);
	assert_int_equal(t.told, 0);
	drop_check(0);
	backend_stop(&backend);
}

static void test_many(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };
	struct check_config config = http_check;
	char path[16];

	(void)state;
	config.rise = 2;
	config.interval_ms = 2000;
	config.jitter_percent = 10;
	config.path = path;
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < CHECKS_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/%zu", i);
		config.type = i % 2 ? CHECK_HTTP : CHECK_TCP;
		config.timeout_ms = 4000 + i;
		(void)make(&config, backend.port);
	}
	RUN_UNTIL(t.told == CHECKS_MAX);
	for (size_t i = 0; i < CHECKS_MAX; i++)
		assert_string_equal(check_get(t.made[i])->text, i % 2 ? "HTTP 200" : "connected");
	backend_stop(&backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_http_rise_and_fall),
		TEST(test_tcp_rise_and_fall),
		TEST(test_start_is_fast),
		TEST(test_predecessor_says_up),
		TEST(test_none_is_up),
		TEST(test_intervals),
		TEST(test_no_overlap),
		TEST(test_fresh_connections),
		TEST(test_connections_are_reset),
		TEST(test_queue_of_starts),
		TEST(test_held_up_loop),
		TEST(test_equal_checks_are_one),
		TEST(test_free_in_callback),
		TEST(test_make_in_callback),
		TEST(test_many_askers),
		TEST(test_free_in_flight),
		TEST(test_many),
	};

	(void)alarm(60); /* a loop that hangs shall not hang the build */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
