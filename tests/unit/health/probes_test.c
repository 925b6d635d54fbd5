// SPDX-License-Identifier: BSD-2-Clause
/* One probe, one verdict: against real servers on loopback, kind and hostile. */
#include "unit/health/checks_loop.h"

#include <sys/resource.h>

/* ---- one answer, one verdict -------------------------------------------- */

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
	{ "503", BACKEND_ANSWER, "HTTP/1.1 503 No\r\n" EMPTY,
	  .result = "HTTP 503, wanted 200-299" },
	{ "a redirect is an answer like any other", BACKEND_ANSWER,
	  "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n" EMPTY,
	  .result = "HTTP 302, wanted 200-299" },
	{ "a single wanted status", BACKEND_ANSWER, "HTTP/1.1 404 Not Found\r\n" EMPTY,
	  .wanted = { { 404, 404 } }, .ok = true, .result = "HTTP 404" },
	{ "the last of several ranges, its end", BACKEND_ANSWER, "HTTP/1.1 405 No\r\n" EMPTY,
	  .wanted = { { 200, 299 }, { 301, 301 }, { 404, 405 } }, .ok = true,
	  .result = "HTTP 405" },
	{ "beside several ranges", BACKEND_ANSWER, "HTTP/1.1 406 No\r\n" EMPTY,
	  .wanted = { { 200, 299 }, { 301, 301 }, { 404, 405 } },
	  .result = "HTTP 406, wanted 200-299, 301, 404-405" },
	{ "another protocol", BACKEND_ANSWER, "SSH-2.0-\x1b[31m\r\n",
	  .result = "not an HTTP answer" },
	{ "a few bytes of nothing", BACKEND_ANSWER, "\x01\x02", .result = "not an HTTP answer" },
	{ "a status that is none", BACKEND_ANSWER, "HTTP/2 -04 No\r\n\r\n",
	  .result = "not an HTTP answer" },
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

/* ---- answers that are cut ------------------------------------------------- */

static const struct {
	const char *sentence, *text;
	size_t whole;  /* bytes that make it whole; 0: all */
	size_t spared; /* of these, the last ones that libcurl may do without */
} cuts[] = {
	{ "a length", OK_HEAD "Content-Length: 2\r\n\r\nok", 0, 0 },
	{ "no body", OK_HEAD EMPTY, 0, 0 },
	{ "chunks", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0, 1 },
	{ "no length", OK_HEAD "X: y\r\n\r\nok", 25, 0 },
	{ "an interim answer", INTERIM OK_HEAD "Content-Length: 1\r\n\r\n.", 0, 0 },
	{ "more than the length", OK_HEAD "Content-Length: 1\r\n\r\n..", 39, 0 },
};

/* One probe of an answer that is cut behind the given number of bytes. */
static void check_cut(size_t row, enum backend_mode mode, size_t bytes)
{
	size_t whole = cuts[row].whole ?: strlen(cuts[row].text);
	struct backend backend = { .mode = mode };
	struct check_config config = http_check;
	const struct check_result *result;
	char text[256] = "";

	memcpy(text, cuts[row].text, bytes);
	backend.text = text;
	config.interval_ms = 60000;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&config, backend.port));
	RUN_UNTIL(result->probed);
	if (result->last_ok != (bytes >= whole) ||
	    (result->last_ok && strcmp(result->text, "HTTP 200") != 0))
		fail_msg("%s, mode %d, cut behind %zu of %zu bytes: \"%s\"", cuts[row].sentence,
			 mode, bytes, whole, result->text);
	t.told = 0;
	drop_check(--t.n_made);
	backend_stop(&backend);
}

/* As scripts behind inetd and nc do: it must not be a matter of luck. */
static void test_a_reset_behind_a_whole_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < 50; i++) {
		check_cut(0, BACKEND_UNREAD, strlen(cuts[0].text));
		check_cut(0, BACKEND_RESET, strlen(cuts[0].text));
	}
}

/* Cut behind each byte, by a close and by a reset: one rule for all. */
static void test_an_answer_counts_when_it_is_whole(void **state)
{
	static const enum backend_mode modes[] = { BACKEND_ANSWER, BACKEND_RESET, BACKEND_UNREAD };

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(cuts); row++)
		for (size_t k = 0; k < ARRAY_SIZE(modes); k++)
			for (size_t n = 0; n <= strlen(cuts[row].text); n++)
				if (n != strlen(cuts[row].text) - cuts[row].spared ||
				    !cuts[row].spared)
					check_cut(row, modes[k], n);
}

/* libcurl 7.88 appends a folded line to the last one of the transfer before, which it
 * has freed, where a handle is used again; seen by ASan (make debug).
 */
static void test_a_folded_line_that_follows_no_other(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };
	const struct check_result *result;

	(void)state;
	assert_true(backend_start(&backend, AF_INET));
	result = check_get(make(&http_check, backend.port));
	RUN_UNTIL(result->probed);
	assert_string_equal(result->text, "HTTP 200");
	backend.text = "HTTP/1.1 404 No\r\n folded: onto what?\r\n" EMPTY;
	RUN_UNTIL(strcmp(result->text, "HTTP 200") != 0);
	assert_false(result->last_ok);
	drop_check(--t.n_made);
	backend_stop(&backend);
}

static void test_request(void **state)
{
	struct backend backend = { .text = OK_HEAD EMPTY };
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
	struct backend backend = { .text = OK_HEAD EMPTY };
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
	struct backend backend = { .text = OK_HEAD EMPTY };
	struct rlimit limit, none;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	assert_true(backend_start(&backend, AF_INET));
	for (size_t i = 0; i < ARRAY_SIZE(both_kinds); i++) {
		struct check_config config = *both_kinds[i];

		/* The backend is in this process too, and cannot answer a probe
		 * that is under way when the limit falls: that may fail, once.
		 */
		config.fall = 3;
		(void)make(&config, backend.port);
	}
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

/* ---- what a check is ---------------------------------------------------- */

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

static void test_refuses_nonsense(void **state)
{
	static const char *const bad_paths[] = { "", "x", "/a b", "/\r\nX: y", "/\x7f" };
	static const char *const bad_hosts[] = { "", "a b", "a\r\nX: y" };
	struct check_config config = http_check;
	struct check_request request = { .config = &config, .port = htons(9), .changed = was_told };
	struct check *check;

	(void)state;
	(void)ip_parse("127.0.0.1", &request.ip);
	for (size_t i = 0; i < ARRAY_SIZE(bad_paths) + ARRAY_SIZE(bad_hosts); i++) {
		bool is_path = i < ARRAY_SIZE(bad_paths);

		config.path = (char *)(is_path ? bad_paths[i] : "/");
		config.host = is_path ? NULL : (char *)bad_hosts[i - ARRAY_SIZE(bad_paths)];
		assert_int_equal(check_new(t.checks, &request, &check), -EINVAL);
	}
	config = tcp_check;
	config.interval_ms = 0;
	assert_int_equal(check_new(t.checks, &request, &check), -EINVAL);
	request.config = &tcp_check;
	request.port = 0;
	assert_int_equal(check_new(t.checks, &request, &check), -EINVAL);
	assert_null(t.checks->targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_a_reset_behind_a_whole_answer),
		TEST(test_an_answer_counts_when_it_is_whole),
		TEST(test_a_folded_line_that_follows_no_other),
		TEST(test_request),
		TEST(test_ipv6),
		TEST(test_refused),
		TEST(test_unreachable),
		TEST(test_no_answer_to_connect),
		TEST(test_explain),
		TEST(test_want_of_descriptors),
		TEST(test_each_difference_parts_checks),
		TEST(test_refuses_nonsense),
	};

	(void)alarm(60); /* a loop that hangs shall not hang the build */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
