// SPDX-License-Identifier: BSD-2-Clause
/* responder/answer: what a client is told, for buckets in known states. */
#include "responder/answer.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sluice/gcra.h"
#include "sluice/window.h"

#define SECOND (1000000000ULL << SL_TICK_SHIFT)
#define NOW    (1000 * SECOND)

/* burst units, one of them back each `interval` ticks */
static struct answer_limit tokens(enum sl_limit_count count, uint64_t interval, uint64_t burst,
				  uint64_t owed)
{
	return (struct answer_limit){
		.limit = { .rate = { interval, burst * interval }, .count = count },
		.bucket = { .state = { NOW + owed * interval } },
	};
}

/* Of the limit that is waited for longest. */
static const struct answer_state *told(const struct answer *answer)
{
	return &answer->limits[answer->longest];
}

static struct answer ask(size_t n, const struct answer_limit *limits)
{
	struct answer_input input = { .now = NOW, .n_limits = (unsigned)n };

	memcpy(input.limits, limits, n * sizeof(*limits));
	for (unsigned i = 0; i < n; i++)
		input.limits[i].number = i + 1;
	return answer_make(&input, 5000);
}

static void test_over_a_token_bucket(void **state)
{
	const struct answer_limit limit = tokens(SL_COUNT_CONNECTIONS, SECOND, 5, 5);
	struct answer answer = ask(1, &limit);

	(void)state;
	assert_int_equal(answer.status, 429);
	assert_int_equal(answer.retry_after, 1);
	assert_int_equal(told(&answer)->limit, 5);
	assert_int_equal(told(&answer)->remaining, 0);
	assert_int_equal(told(&answer)->reset, 5);
}

static void test_seconds_are_rounded_up(void **state)
{
	struct answer_limit limit = tokens(SL_COUNT_CONNECTIONS, SECOND, 2, 2);
	struct answer answer;

	(void)state;
	/* Three halves of a second until one may pass. */
	limit.bucket.state[0] += SECOND / 2;
	answer = ask(1, &limit);
	assert_int_equal(answer.retry_after, 2);
	assert_int_equal(told(&answer)->reset, 3);
}

static void test_an_hourly_limit(void **state)
{
	const struct answer_limit limit = tokens(SL_COUNT_CONNECTIONS, 60 * SECOND, 60, 60);
	struct answer answer = ask(1, &limit);

	(void)state;
	assert_int_equal(answer.retry_after, 60);
	assert_int_equal(told(&answer)->reset, 3600);
}

/* What has just come back: never "at once", for it was refused. */
static void test_at_least_a_second(void **state)
{
	const struct answer_limit limit = tokens(SL_COUNT_CONNECTIONS, SECOND / 1000, 1000, 0);
	struct answer answer = ask(1, &limit);

	(void)state;
	assert_int_equal(answer.status, 429);
	assert_int_equal(answer.retry_after, 1);
	assert_int_equal(told(&answer)->remaining, 1000);
	assert_int_equal(told(&answer)->reset, 0);
}

/* A request is not one packet: coming back for one alone would be refused again. */
static void test_a_request_has_many_packets(void **state)
{
	const struct answer_limit packets = tokens(SL_COUNT_PACKETS, SECOND, 100, 100);
	const struct answer_limit few = tokens(SL_COUNT_PACKETS, SECOND, 4, 4);

	(void)state;
	assert_int_equal(ask(1, &packets).retry_after, 16);
	assert_int_equal(ask(1, &few).retry_after, 4);
}

static void test_a_request_has_many_bytes(void **state)
{
	const struct answer_limit bytes = tokens(SL_COUNT_BYTES, SECOND / 1024, 65536, 65536);

	(void)state;
	assert_int_equal(ask(1, &bytes).retry_after, 16);
	assert_int_equal(ask(1, &bytes).limits[0].limit, 65536);
}

static void test_a_fixed_window(void **state)
{
	struct answer_limit limit = {
		.limit = { .rate = { 60 * SECOND, 10 },
			   .count = SL_COUNT_CONNECTIONS,
			   .algorithm = SL_ALGORITHM_FIXED_WINDOW },
	};
	struct answer answer;

	(void)state;
	/* NOW is 40 s into the seventeenth minute. */
	limit.bucket.state[0] = sl_window_word(NOW / (60 * SECOND), 10);
	answer = ask(1, &limit);
	assert_int_equal(answer.retry_after, 20);
	assert_int_equal(told(&answer)->limit, 10);
	assert_int_equal(told(&answer)->remaining, 0);
	assert_int_equal(told(&answer)->reset, 20);
}

static void test_a_sliding_window(void **state)
{
	struct answer_limit limit = {
		.limit = { .rate = { 8 * SECOND, 10 },
			   .count = SL_COUNT_CONNECTIONS,
			   .algorithm = SL_ALGORITHM_SLIDING_WINDOW },
	};
	uint64_t part = NOW / SECOND;
	struct answer answer;

	(void)state;
	limit.bucket.state[part % (SL_WINDOW_PARTS + 1)] = sl_window_word(part, 10);
	answer = ask(1, &limit);
	assert_int_equal(told(&answer)->remaining, 0);
	/* It begins to leave after 8 parts, and is gone after 9; a tenth is enough for one. */
	assert_in_range(answer.retry_after, 8, 9);
	assert_int_equal(told(&answer)->reset, 9);
}

static void test_the_longest_wait_is_told(void **state)
{
	const struct answer_limit limits[] = {
		tokens(SL_COUNT_CONNECTIONS, SECOND, 5, 5),
		tokens(SL_COUNT_CONNECTIONS, 10 * SECOND, 7, 7),
		tokens(SL_COUNT_CONNECTIONS, SECOND, 9, 0),
	};
	struct answer answer = ask(3, limits);

	(void)state;
	assert_int_equal(answer.retry_after, 10);
	assert_int_equal(told(&answer)->limit, 7);
	assert_int_equal(told(&answer)->reset, 70);
}

static void test_nobody_serves(void **state)
{
	struct answer_input input = { .now = NOW, .nobody_serves = true, .n_limits = 1 };

	(void)state;
	input.limits[0] = tokens(SL_COUNT_CONNECTIONS, SECOND, 5, 5);
	assert_int_equal(answer_make(&input, 30000).status, 503);
	assert_int_equal(answer_make(&input, 30000).retry_after, 30);
	assert_int_equal(answer_make(&input, 1001).retry_after, 2);
	assert_int_equal(answer_make(&input, 0).retry_after, 1);
}

/* Somebody serves again, and there is no limit: it was sent here before. */
static void test_without_a_limit(void **state)
{
	const struct answer_input input = { .now = NOW };

	(void)state;
	assert_int_equal(answer_make(&input, 5000).status, 503);
}

/* Each limit's window is the time in which all of it comes back. */
static void test_windows(void **state)
{
	const struct answer_limit hourly = tokens(SL_COUNT_CONNECTIONS, 60 * SECOND, 60, 60);
	const struct answer_limit quick = tokens(SL_COUNT_CONNECTIONS, SECOND / 1000, 10, 10);
	const struct answer_limit window = {
		.limit = { .rate = { 60 * SECOND, 10 },
			   .count = SL_COUNT_CONNECTIONS,
			   .algorithm = SL_ALGORITHM_FIXED_WINDOW },
	};

	(void)state;
	assert_int_equal(ask(1, &hourly).limits[0].window, 3600);
	assert_int_equal(ask(1, &quick).limits[0].window, 1); /* never 0 */
	assert_int_equal(ask(1, &window).limits[0].window, 60);
}

static void check_headers(const struct answer *answer, bool x_headers, const char *expected)
{
	struct answer_header headers[ANSWER_HEADERS_MAX];
	size_t n = answer_headers(answer, x_headers, headers);
	char text[2048] = "";

	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "%s: %s\n", headers[i].name,
			       headers[i].value);
	}
	assert_string_equal(text, expected);
}

static const struct answer over = {
	.status = 429,
	.retry_after = 7,
	.limits = { { 1, SL_COUNT_PACKETS, 1000, 3, 60, 60, true },
		    { 3, SL_COUNT_BYTES, 65536, 65536, 0, 2, false },
		    { 4, SL_COUNT_CONNECTIONS, 5, 0, 5, 10, true } },
	.n_limits = 3,
};

static void test_headers(void **state)
{
	const struct answer down = { .status = 503, .retry_after = 5 };

	(void)state;
	check_headers(&over, false,
		      "Retry-After: 7\n"
		      "RateLimit-Policy: \"limit-1\";q=1000;qu=\"packets\";w=60, "
		      "\"limit-3\";q=65536;qu=\"bytes\";w=2, \"limit-4\";q=5;w=10\n"
		      "RateLimit: \"limit-1\";r=3;t=7, \"limit-3\";r=65536;t=0, "
		      "\"limit-4\";r=0;t=5\n");
	check_headers(&over, true,
		      "Retry-After: 7\n"
		      "RateLimit-Policy: \"limit-1\";q=1000;qu=\"packets\";w=60, "
		      "\"limit-3\";q=65536;qu=\"bytes\";w=2, \"limit-4\";q=5;w=10\n"
		      "RateLimit: \"limit-1\";r=3;t=7, \"limit-3\";r=65536;t=0, "
		      "\"limit-4\";r=0;t=5\n"
		      "RateLimit-Limit: 1000\nX-RateLimit-Limit: 1000\n"
		      "RateLimit-Remaining: 3\nX-RateLimit-Remaining: 3\n"
		      "RateLimit-Reset: 60\nX-RateLimit-Reset: 60\n");
	check_headers(&down, true, "Retry-After: 5\n");
	assert_string_equal(answer_body(&over), "429 Too Many Requests\n");
	assert_string_equal(answer_body(&down), "503 Service Unavailable\n");
}

static void test_problems(void **state)
{
	const struct answer down = { .status = 503, .retry_after = 5 };
	char text[ANSWER_PROBLEM_SIZE];

	(void)state;
	assert_string_equal(
		answer_problem(&over, text),
		"{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\","
		"\"title\":\"Request cannot be satisfied as assigned quota has been exceeded\","
		"\"status\":429,\"detail\":\"Try again in 7 s.\","
		"\"violated-policies\":[\"limit-1\",\"limit-4\"]}\n");
	assert_string_equal(answer_problem(&down, text),
			    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
			    "\"status\":503,\"detail\":\"Try again in 5 s.\"}\n");
}

/* Structured fields have integers of 15 digits; and all of it has room. */
static void test_the_largest_numbers_fit(void **state)
{
	struct answer most = { .status = 429,
			       .retry_after = UINT64_MAX,
			       .n_limits = SL_LIMITS_MAX };
	struct answer_header headers[ANSWER_HEADERS_MAX];
	char text[ANSWER_PROBLEM_SIZE];

	(void)state;
	for (unsigned i = 0; i < SL_LIMITS_MAX; i++)
		most.limits[i] =
			(struct answer_state){ i + 1,      SL_COUNT_PACKETS, UINT64_MAX, UINT64_MAX,
					       UINT64_MAX, UINT64_MAX,       true };
	assert_int_equal(answer_headers(&most, true, headers), ANSWER_HEADERS_MAX);
	assert_string_equal(headers[0].value, "18446744073709551615");
	assert_string_equal(headers[3].value, "18446744073709551615");
	for (size_t i = 1; i <= 2; i++) {
		const char *last = strrchr(headers[i].value, '=');

		assert_string_equal(last, "=999999999999999");
		assert_non_null(strstr(headers[i].value, "\"limit-4\""));
	}
	assert_non_null(strstr(answer_problem(&most, text), "\"limit-4\"]}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_over_a_token_bucket),
		cmocka_unit_test(test_seconds_are_rounded_up),
		cmocka_unit_test(test_an_hourly_limit),
		cmocka_unit_test(test_at_least_a_second),
		cmocka_unit_test(test_a_request_has_many_packets),
		cmocka_unit_test(test_a_request_has_many_bytes),
		cmocka_unit_test(test_a_fixed_window),
		cmocka_unit_test(test_a_sliding_window),
		cmocka_unit_test(test_the_longest_wait_is_told),
		cmocka_unit_test(test_nobody_serves),
		cmocka_unit_test(test_without_a_limit),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_the_largest_numbers_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
