// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checks against real servers on loopback. Waits are for conditions, bounded by
 * PATIENCE_MS; nothing here depends on how fast the machine is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../user/daemon/checks.c"
#include "../../user/daemon/curl_loop.c"
#include "../../user/daemon/log.c"
#include "../../user/daemon/probe.c"
#include "../../user/daemon/probe_http.c"
#include "../../user/daemon/probe_tcp.c"

#include "backend.h"

#include <sys/resource.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PATIENCE_MS       8000
#define MANY              300

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

/* ---- the loop that each test gets --------------------------------------- */

static struct {
	uv_loop_t loop;
	uv_timer_t tick;
	struct checks *checks;
	struct check *made[MANY]; /* by the test; freed at its end */
	size_t n_made;
	bool in_call; /* of the module */
	unsigned told;
} t;

static void ticked(uv_timer_t *timer)
{
	(void)timer;
}

static int set_up(void **state)
{
	(void)state;
	(void)memset(&t, 0, sizeof(t));
	(void)uv_loop_init(&t.loop);
	(void)uv_timer_init(&t.loop, &t.tick);
	(void)uv_timer_start(&t.tick, ticked, 2, 2);
	return checks_new(&t.loop, &t.checks);
}

static void drop_check(size_t i)
{
	t.in_call = true;
	check_free(t.made[i]);
	t.in_call = false;
	t.made[i] = NULL;
}

/* The loop must come to its end: every handle was closed. */
static int tear_down(void **state)
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

static void was_told(void *arg)
{
	(void)arg;
	assert_false(t.in_call);
	t.told++;
}

static struct check *make_check(const struct check_config *config, const char *address, __be16 port,
				bool up)
{
	struct ip ip;
	int r;

	assert_true(t.n_made < MANY);
	assert_int_equal(ip_parse(address, &ip), 0);
	t.in_call = true;
	r = check_new(t.checks, config, &ip, port, up, was_told, NULL, &t.made[t.n_made]);
	t.in_call = false;
	assert_int_equal(r, 0);
	return t.made[t.n_made++];
}

static struct check *make(const struct check_config *config, __be16 port)
{
	return make_check(config, "127.0.0.1", port, false);
}

/* ---- one answer, one verdict -------------------------------------------- */

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define LINE    "X-More: and more and more and more and more and more\r\n"
#define INTERIM "HTTP/1.1 100 Continue\r\n\r\n"

static const struct answer_case {
	const char *sentence;
	enum backend_mode mode;
	const char *text, *repeat;
	struct status_range wanted[4]; /* none: 200-299 */
	bool ok;
	const char *result;
} answers[] = {
	{ "200", BACKEND_ANSWER, OK_HEAD "Content-Length: 2\r\n\r\nok", .ok = true,
	  .result = "HTTP 200" },
	{ "200 without a length, ended by the close", BACKEND_ANSWER, OK_HEAD "\r\nok", .ok = true,
	  .result = "HTTP 200" },
	{ "204", BACKEND_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", .ok = true,
	  .result = "HTTP 204" },
	{ "HTTP/1.0", BACKEND_ANSWER, "HTTP/1.0 200 OK\r\n\r\nok", .ok = true,
	  .result = "HTTP 200" },
	{ "503", BACKEND_ANSWER, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
	  .result = "HTTP 503, wanted 200-299" },
	{ "a redirect is an answer like any other", BACKEND_ANSWER,
	  "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
	  .result = "HTTP 302, wanted 200-299" },
	{ "a single wanted status", BACKEND_ANSWER,
	  "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", .wanted = { { 404, 404 } },
	  .ok = true, .result = "HTTP 404" },
	{ "the last of several ranges, its end", BACKEND_ANSWER,
	  "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
	  .wanted = { { 200, 299 }, { 301, 301 }, { 404, 405 } }, .ok = true,
	  .result = "HTTP 405" },
	{ "beside several ranges", BACKEND_ANSWER, "HTTP/1.1 406 No\r\nContent-Length: 0\r\n\r\n",
	  .wanted = { { 200, 299 }, { 301, 301 }, { 404, 405 } },
	  .result = "HTTP 406, wanted 200-299, 301, 404-405" },
	{ "another protocol", BACKEND_ANSWER, "SSH-2.0-\x1b[31m\r\n",
	  .result = "not an HTTP answer" },
	{ "a few bytes of nothing", BACKEND_ANSWER, "\x01\x02", .result = "not an HTTP answer" },
	{ "a length that is none", BACKEND_ANSWER, OK_HEAD "Content-Length: -1\r\n\r\n",
	  .result = "not an HTTP answer" },
	{ "closed", BACKEND_ANSWER, "", .result = "closed without an answer" },
	{ "cut short", BACKEND_ANSWER, OK_HEAD "Content-Length: 100\r\n\r\nno",
	  .result = "the answer broke off" },
	{ "a chunk that is none", BACKEND_ANSWER,
	  OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", .result = "the answer broke off" },
	{ "endless header", BACKEND_ENDLESS, OK_HEAD, LINE LINE LINE LINE,
	  .result = "the header of the answer is too long" },
	{ "endless header line", BACKEND_ENDLESS, OK_HEAD "X-Line: ", "aaaaaaaaaaaaaaaaaaaaaaaaaa",
	  .result = "the header of the answer is too long" },
	{ "endless interim answers", BACKEND_ENDLESS, INTERIM, INTERIM INTERIM INTERIM,
	  .result = "the header of the answer is too long" },
	{ "endless body: the status counts", BACKEND_ENDLESS, OK_HEAD "\r\n", LINE LINE LINE LINE,
	  .ok = true, .result = "HTTP 200" },
	{ "endless body of an error", BACKEND_ENDLESS, "HTTP/1.1 500 No\r\n\r\n",
	  LINE LINE LINE LINE, .result = "HTTP 500, wanted 200-299" },
	{ "silence", BACKEND_SILENT, "", .result = "connected, but no answer within 300ms" },
	{ "a header drop by drop", BACKEND_DRIP, "HTTP/1.1 2", "0",
	  .result = "connected, but no answer within 300ms" },
	{ "a body drop by drop", BACKEND_DRIP, OK_HEAD "Content-Length: 9999\r\n\r\n", ".",
	  .result = "HTTP 200, but no end of the answer within 300ms" },
};

static void check_answer(const struct answer_case *row)
{
	struct backend backend = { .mode = row->mode, .text = row->text, .repeat = row->repeat };
	struct check_config config = http_check;
	const struct check_result *result;
	bool slow = row->mode == BACKEND_SILENT || row->mode == BACKEND_DRIP;

	if (slow)
		config.timeout_ms = 300;
	for (config.n_status = 0; row->wanted[config.n_status].first; config.n_status++)
		config.status[config.n_status] = row->wanted[config.n_status];
	config.interval_ms = 60000; /* one probe */
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	RUN_UNTIL(result->probed);
	if (strcmp(result->text, row->result) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", row->sentence, result->text, row->result);
	assert_int_equal(result->last_ok, row->ok);
	assert_int_equal(result->up, row->ok);
	assert_int_equal(result->run, 1);
	assert_int_equal(t.told, row->ok);
	assert_int_equal(backend.connections, 1);
	t.told = 0;
	drop_check(--t.n_made);
	backend_stop(&backend);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		check_answer(&answers[i]);
}

static void test_request(void **state)
{
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	struct check_config config = http_check;
	const struct check_result *result;

	(void)state;
	/* Neither a proxy from the environment nor a tidied path. */
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	config.path = (char *)"/a/../health?deep=1#x";
	config.host = (char *)"backend.test";
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	RUN_UNTIL(result->probed);
	assert_string_equal(result->text, "HTTP 200");
	assert_string_equal(backend.request, "GET /a/../health?deep=1#x HTTP/1.1\r\n"
					     "Host: backend.test\r\n"
					     "User-Agent: sluice-check/0.1\r\n"
					     "Accept: */*\r\n"
					     "Connection: close\r\n\r\n");
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
	backend_stop(&backend);
}

static void test_ipv6(void **state)
{
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	struct check *http, *tcp;
	char host[64];

	(void)state;
	if (!backend_start(&backend, AF_INET6)) {
		print_message("skipped: no IPv6 on loopback\n");
		skip();
	}
	http = make_check(&http_check, "::1", backend.port, false);
	RUN_UNTIL(check_get(http)->probed);
	assert_string_equal(check_get(http)->text, "HTTP 200");
	(void)snprintf(host, sizeof(host), "Host: [::1]:%u\r\n", ntohs(backend.port));
	assert_non_null(strstr(backend.request, host));
	tcp = make_check(&tcp_check, "::1", backend.port, false);
	RUN_UNTIL(check_get(tcp)->probed);
	assert_string_equal(check_get(tcp)->text, "connected");
	drop_check(0);
	drop_check(1);
	backend_stop(&backend);
}

/* ---- no connection ------------------------------------------------------ */

static const struct check_config *const both_kinds[] = { &tcp_check, &http_check };

static void test_refused(void **state)
{
	__be16 port = 0;
	int fd = backend_bind(AF_INET, &port);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++) {
		const struct check_result *result = check_get(make(both_kinds[i], port));

		RUN_UNTIL(result->probed);
		assert_string_equal(result->text, "connection refused");
		assert_false(result->up);
	}
	(void)close(fd);
}

/* A broadcast address: connect() itself fails, and nothing leaves the machine. */
static void test_unreachable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++) {
		struct check *check = make_check(both_kinds[i], "127.255.255.255", htons(9), true);

		RUN_UNTIL(!check_get(check)->up);
		assert_string_equal(check_get(check)->text, "network is unreachable");
	}
	assert_int_equal(t.told, 2);
}

/* Fills the queue of connections to accept, so that Linux ignores more SYNs. */
static void fill_queue(__be16 port, int fds[static 4])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = port,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (size_t i = 0; i < 4; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fds[i], (struct sockaddr *)&address, sizeof(address));
	}
}

static void test_no_answer_to_connect(void **state)
{
	__be16 port = 0;
	int listener = backend_bind(AF_INET, &port), fds[4];

	(void)state;
	assert_int_equal(listen(listener, 0), 0);
	fill_queue(port, fds);
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++) {
		struct check_config config = *both_kinds[i];
		const struct check_result *result;

		config.timeout_ms = 1000;
		result = check_get(make(&config, port));
		RUN_UNTIL(result->probed);
		assert_string_equal(result->text, "no answer within 1s");
		assert_in_range(result->duration_us, 1000000, PATIENCE_MS * 1000);
		config.timeout_ms = 500; /* and one that is freed while it waits */
		(void)make(&config, port);
		RUN_UNTIL(t.made[t.n_made - 1]->target->deadline_ms);
		drop_check(t.n_made - 1);
	}
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
	(void)close(listener);
}

static void test_explain(void **state)
{
	char text[PROBE_TEXT_SIZE];

	(void)state;
	assert_int_equal(probe_explain(EHOSTUNREACH, text), PROBE_FAILED);
	assert_string_equal(text, "no route to host");
	assert_int_equal(probe_explain(EMFILE, text), PROBE_IMPOSSIBLE);
	assert_string_equal(text, "could not probe: too many open files");
	assert_int_equal(probe_explain(99999, text), PROBE_FAILED);
	assert_string_equal(text, "unknown error");
}

/* Out of descriptors: nobody goes down for it, and all goes on afterwards. */
static void test_want_of_descriptors(void **state)
{
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	struct rlimit limit, none;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++)
		(void)make(both_kinds[i], backend.port);
	RUN_UNTIL(t.told == 2);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	(void)setrlimit(RLIMIT_NOFILE, &none);
	for (size_t i = 0; i < t.n_made; i++)
		RUN_UNTIL(strcmp(check_get(t.made[i])->text,
				 "could not probe: too many open files") == 0);
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < t.n_made; i++) {
		unsigned run = check_get(t.made[i])->run;

		RUN_UNTIL(check_get(t.made[i])->run >= run + 2);
	}
	assert_int_equal(t.told, 2);
	log_set_level(LOG_LEVEL_INFO);
	backend_stop(&backend);
}

/* ---- up and down -------------------------------------------------------- */

static void test_http_rise_and_fall(void **state)
{
	const char *good = OK_HEAD "Content-Length: 0\r\n\r\n";
	const char *bad = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
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
	assert_int_equal(backend.connections, 2);

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

/* With the usual 2 s and rise 2, a start needs no 2 s. */
static void test_start_is_fast(void **state)
{
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	struct check_config config = http_check;
	uint64_t start = uv_hrtime();

	(void)state;
	config.interval_ms = 2000;
	config.jitter_percent = 10;
	config.rise = 2;
	assert_true(backend_start(&backend, AF_INET));
	(void)make(&config, backend.port);
	RUN_UNTIL(t.told == 1);
	assert_in_range((uv_hrtime() - start) / 1000000, 440, 1700);
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
		assert_in_range(backend.connections, result->run, result->run + 1);
	}
	backend_stop(&backend);
}

/* A server that would keep connections open gets a new one for each probe. */
static void test_fresh_connections(void **state)
{
	struct backend backend = { .mode = BACKEND_KEEP,
				   .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	const struct check_result *result;

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&http_check, backend.port));
	RUN_UNTIL(result->run == 3);
	assert_int_equal(backend.connections, 3);
	backend_stop(&backend);
}

/* The answer came in time, but this loop was busy elsewhere. */
static void test_held_up_loop(void **state)
{
	struct backend backend = { .mode = BACKEND_HOLD,
				   .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	struct check_config config = http_check;
	const struct check_result *result;
	uint64_t start;

	(void)state;
	config.timeout_ms = 500;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	RUN_UNTIL(backend.connections == 1);
	backend.release = true;
	start = uv_hrtime();
	while (!backend.released || uv_hrtime() - start < 700 * 1000000ULL)
		(void)poll(NULL, 0, 1);
	RUN_UNTIL(result->probed);
	assert_string_equal(result->text, "HTTP 200");
	backend_stop(&backend);
}

/* ---- sharing and freeing ------------------------------------------------ */

static void test_equal_checks_are_one(void **state)
{
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
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
	assert_int_equal(backend.connections, 4);
	assert_int_equal(t.told, 3);

	/* Who joins takes the state; who leaves takes nothing away. */
	other.path = (char *)"/same";
	assert_ptr_equal(check_get(make(&other, backend.port)), result);
	assert_true(result->up);
	drop_check(0);
	drop_check(2);
	RUN_UNTIL(result->run == 6);
	assert_int_equal(backend.connections, 6);
	backend_stop(&backend);
}

static void test_each_difference_parts_checks(void **state)
{
	struct check_config v[13];
	struct target *targets[ARRAY_SIZE(v)];
	__be16 port = 0;
	int fd = backend_bind(AF_INET, &port);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = http_check;
	v[1].type = CHECK_TCP;
	v[2].interval_ms++;
	v[3].timeout_ms++;
	v[4].rise++;
	v[5].fall++;
	v[6].jitter_percent++;
	v[7].port = htons(1);
	v[8].path = (char *)"/x";
	v[9].host = (char *)"x";
	v[10].status[0].last++;
	v[11].status[1] = (struct status_range){ 404, 404 };
	v[11].n_status = 2;
	v[12].type = CHECK_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		targets[i] = make(&v[i], port)->target;
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(targets[i], targets[j]);
	}
	assert_ptr_not_equal(make_check(&v[0], "127.0.0.2", port, false)->target, targets[0]);
	/* What does not matter to a kind does not part. */
	v[8].type = CHECK_TCP;
	assert_ptr_equal(make(&v[8], port)->target, targets[1]);
	assert_ptr_equal(make(&v[0], port)->target, targets[0]);
	(void)close(fd);
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
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };

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
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
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
	struct backend backend = { .text = OK_HEAD "Content-Length: 0\r\n\r\n" };
	struct check_config config = http_check;
	char path[16];

	(void)state;
	config.rise = 2;
	config.interval_ms = 2000;
	config.jitter_percent = 10;
	config.path = path;
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "/%zu", i);
		config.type = i % 2 ? CHECK_HTTP : CHECK_TCP;
		config.timeout_ms = 4000 + i;
		(void)make(&config, backend.port);
	}
	RUN_UNTIL(t.told == MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_string_equal(check_get(t.made[i])->text, i % 2 ? "HTTP 200" : "connected");
	backend_stop(&backend);
}

static void test_refuses_nonsense(void **state)
{
	static const char *const bad_paths[] = { "", "x", "/a b", "/\r\nX: y", "/\x7f" };
	static const char *const bad_hosts[] = { "", "a b", "a\r\nX: y" };
	struct check_config config = http_check;
	struct check *check;
	struct ip ip;

	(void)state;
	(void)ip_parse("127.0.0.1", &ip);
	for (size_t i = 0; i < ARRAY_SIZE(bad_paths) + ARRAY_SIZE(bad_hosts); i++) {
		bool is_path = i < ARRAY_SIZE(bad_paths);

		config.path = (char *)(is_path ? bad_paths[i] : "/");
		config.host = is_path ? NULL : (char *)bad_hosts[i - ARRAY_SIZE(bad_paths)];
		assert_int_equal(
			check_new(t.checks, &config, &ip, htons(9), false, was_told, NULL, &check),
			-EINVAL);
	}
	config = tcp_check;
	config.interval_ms = 0;
	assert_int_equal(check_new(t.checks, &config, &ip, htons(9), false, was_told, NULL, &check),
			 -EINVAL);
	assert_int_equal(check_new(t.checks, &tcp_check, &ip, 0, false, was_told, NULL, &check),
			 -EINVAL);
	assert_null(t.checks->targets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_request),
		TEST(test_ipv6),
		TEST(test_refused),
		TEST(test_unreachable),
		TEST(test_no_answer_to_connect),
		TEST(test_explain),
		TEST(test_want_of_descriptors),
		TEST(test_http_rise_and_fall),
		TEST(test_tcp_rise_and_fall),
		TEST(test_start_is_fast),
		TEST(test_predecessor_says_up),
		TEST(test_none_is_up),
		TEST(test_intervals),
		TEST(test_no_overlap),
		TEST(test_fresh_connections),
		TEST(test_held_up_loop),
		TEST(test_equal_checks_are_one),
		TEST(test_each_difference_parts_checks),
		TEST(test_free_in_callback),
		TEST(test_make_in_callback),
		TEST(test_free_in_flight),
		TEST(test_many),
		TEST(test_refuses_nonsense),
	};

	(void)alarm(60); /* a loop that hangs shall not hang the build */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
