/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of health checks share: the checks themselves, whole, and a
 * loop of its own for each test, which must come to its end. Waits are for
 * conditions and bounded by PATIENCE_MS; nothing depends on how fast the
 * machine is.
 */
#ifndef SLUICE_TESTS_UNIT_HEALTH_CHECKS_LOOP_H
#define SLUICE_TESTS_UNIT_HEALTH_CHECKS_LOOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/clock.c"
#include "daemon/health/checks.c"
#include "daemon/health/curl_loop.c"
#include "daemon/health/probe.c"
#include "daemon/health/probe_http.c"
#include "daemon/health/probe_tcp.c"
#include "daemon/health/target.c"
#include "daemon/log.c"

#include "lib/base/array.h"
#include "unit/health/backend.h"

#include <sys/param.h>

#define PATIENCE_MS 8000
#define CHECKS_MAX  300

#define OK_HEAD     "HTTP/1.1 200 OK\r\n"
#define EMPTY       "Content-Length: 0\r\n\r\n"

static const struct check_config http_check = {
	.type = CHECK_HTTP,
	.interval_ms = 100,
	.timeout_ms = 2000,
	.rise = 1,
	.fall = 1,
	.path = (char *)"/",
	.status = { { 200, 299 } },
	.n_status = 1,
};
static const struct check_config tcp_check = {
	.type = CHECK_TCP,
	.interval_ms = 100,
	.timeout_ms = 2000,
	.rise = 1,
	.fall = 1,
};
static const struct check_config *const both_kinds[] = { &tcp_check, &http_check };

/* ---- the loop that each test gets --------------------------------------- */

static struct {
	uv_loop_t loop;
	uv_timer_t tick;
	struct checks *checks;
	struct check *made[CHECKS_MAX]; /* by the test; freed at its end */
	size_t n_made;
	bool in_call; /* of the module */
	unsigned told;
} t;

static inline void ticked(uv_timer_t *timer)
{
	(void)timer;
}

static inline int set_up(void **state)
{
	(void)state;
	(void)memset(&t, 0, sizeof(t));
	(void)uv_loop_init(&t.loop);
	(void)uv_timer_init(&t.loop, &t.tick);
	(void)uv_timer_start(&t.tick, ticked, 2, 2);
	return checks_new(&t.loop, &t.checks);
}

static inline void drop_check(size_t i)
{
	t.in_call = true;
	check_free(t.made[i]);
	t.in_call = false;
	t.made[i] = NULL;
}

/* The loop must come to its end: every handle was closed. */
static inline int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < t.n_made; i++)
		drop_check(i);
	checks_free(t.checks);
	uv_close((uv_handle_t *)&t.tick, NULL);
	assert_int_equal(uv_run(&t.loop, UV_RUN_DEFAULT), 0);
	return uv_loop_close(&t.loop);
}

#define RUN_UNTIL(condition)                                                    \
	do {                                                                    \
		uint64_t start_ = uv_hrtime();                                  \
		while (!(condition)) {                                          \
			if (uv_hrtime() - start_ > PATIENCE_MS * 1000000ULL)    \
				fail_msg("waited in vain for: %s", #condition); \
			(void)uv_run(&t.loop, UV_RUN_ONCE);                     \
		}                                                               \
	} while (0)

static inline void was_told(void *arg)
{
	(void)arg;
	assert_false(t.in_call);
	t.told++;
}

static inline struct check *make_check(const struct check_config *config, const char *address,
				       __be16 port, bool up)
{
	struct check_request request = {
		.config = config,
		.port = port,
		.up = up,
		.changed = was_told,
	};
	int error;

	assert_true(t.n_made < CHECKS_MAX);
	assert_int_equal(ip_parse(address, &request.ip), 0);
	t.in_call = true;
	error = check_new(t.checks, &request, &t.made[t.n_made]);
	t.in_call = false;
	assert_int_equal(error, 0);
	return t.made[t.n_made++];
}

static inline struct check *make(const struct check_config *config, __be16 port)
{
	return make_check(config, "127.0.0.1", port, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
