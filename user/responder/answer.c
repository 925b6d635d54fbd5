// SPDX-License-Identifier: BSD-2-Clause
/* 429 is RFC 6585 section 4, Retry-After RFC 9110 section 10.2.3, and the RateLimit
 * fields are those of draft-ietf-httpapi-ratelimit-headers-10, as structured fields (RFC
 * 9651). The draft also has the problem types.
 */
#include "responder/answer.h"
#include "lib/base/array.h"

#include <stdio.h>

#include "lib/limit/limit.h"

#define TOO_MANY_REQUESTS   429
#define SERVICE_UNAVAILABLE 503

/* What a small request takes: a handshake, the request, its answer's
 * acknowledgements, the end.
 */
static unsigned long long request_units(const struct sl_limit *limit)
{
	switch ((enum sl_limit_count)limit->count) {
	case SL_COUNT_PACKETS:
		return 16;
	case SL_COUNT_BYTES:
		return 16384;
	case SL_COUNT_CONNECTIONS:
		break;
	}
	return 1;
}

static unsigned long long divide_up(unsigned long long dividend, unsigned long long divisor)
{
	return dividend / divisor + (dividend % divisor != 0);
}

static unsigned long long whole_seconds(unsigned long long ns)
{
	return divide_up(ns, 1000000000ULL);
}

static struct answer over_limit(const struct answer_input *input)
{
	struct answer answer = { .status = TOO_MANY_REQUESTS, .n_limits = input->n_limits };
	unsigned long long longest = 0;

	for (unsigned i = 0; i < input->n_limits; i++) {
		const struct sl_limit *limit = &input->limits[i].limit;
		const struct sl_bucket *bucket = &input->limits[i].bucket;
		struct limit_state state = limit_state(limit, bucket, input->now);
		unsigned long long wait =
			limit_wait_ns(limit, bucket, input->now, request_units(limit));

		answer.limits[i] = (struct answer_state){
			.number = input->limits[i].number,
			.count = limit->count,
			.limit = state.limit,
			.remaining = state.remaining,
			.reset = whole_seconds(state.reset_ns),
			.window = whole_seconds(state.window_ns) ?: 1,
			.exceeded = wait > 0,
		};
		if (i && (wait < longest ||
			  (wait == longest &&
			   state.remaining >= answer.limits[answer.longest].remaining)))
			continue;
		longest = wait;
		answer.longest = i;
	}
	/* It was over when it came here: never "come back at once". */
	answer.retry_after = whole_seconds(longest) ?: 1;
	answer.limits[answer.longest].exceeded = true;
	return answer;
}

struct answer answer_make(const struct answer_input *input, unsigned retry_after_ms)
{
	if (!input->nobody_serves && input->n_limits)
		return over_limit(input);
	return (struct answer){
		.status = SERVICE_UNAVAILABLE,
		.retry_after = divide_up(retry_after_ms, 1000) ?: 1,
	};
}

/* ---- fields --------------------------------------------------------------------- */

#define INTEGER_MAX 999999999999999ULL /* of a structured field: RFC 9651 section 3.3.1 */

static unsigned long long integer(unsigned long long value)
{
	return value < INTEGER_MAX ? value : INTEGER_MAX;
}

/* The unit of a quota; the usual one is a request, and each request that sluice answers is a
 * connection.
 */
static const char *unit_parameter(enum sl_limit_count count)
{
	switch (count) {
	case SL_COUNT_PACKETS:
		return ";qu=\"packets\"";
	case SL_COUNT_BYTES:
		return ";qu=\"bytes\"";
	case SL_COUNT_CONNECTIONS:
		break;
	}
	return "";
}

/* "limit-1";q=100;w=10 */
static void put_policy(FILE *file, const struct answer_state *state)
{
	(void)fprintf(file, "\"limit-%u\";q=%llu%s;w=%llu", state->number, integer(state->limit),
		      unit_parameter(state->count), integer(state->window));
}

/* "limit-1";r=0;t=7. Retry-After must not be earlier than t (draft, section 5). */
static void put_state(FILE *file, const struct answer *answer, const struct answer_state *state)
{
	unsigned long long reset =
		state->reset < answer->retry_after ? state->reset : answer->retry_after;

	(void)fprintf(file, "\"limit-%u\";r=%llu;t=%llu", state->number, integer(state->remaining),
		      integer(reset));
}

static struct answer_header list_header(const struct answer *answer, bool policy)
{
	struct answer_header header = { .name = policy ? "RateLimit-Policy" : "RateLimit" };
	FILE *file = fmemopen(header.value, sizeof(header.value), "w");

	for (unsigned i = 0; file && i < answer->n_limits; i++) {
		(void)fputs(i ? ", " : "", file);
		if (policy)
			put_policy(file, &answer->limits[i]);
		else
			put_state(file, answer, &answer->limits[i]);
	}
	if (file)
		(void)fclose(file);
	return header;
}

static struct answer_header number_header(const char *name, unsigned long long value)
{
	struct answer_header header = { .name = name };

	(void)snprintf(header.value, sizeof(header.value), "%llu", value);
	return header;
}

size_t answer_headers(const struct answer *answer, bool x_headers,
		      struct answer_header ret_headers[static ANSWER_HEADERS_MAX])
{
	const struct answer_state *state = &answer->limits[answer->longest];
	const struct {
		const char *name, *x_name;
		unsigned long long value;
	} rows[] = {
		{ "RateLimit-Limit", "X-RateLimit-Limit", state->limit },
		{ "RateLimit-Remaining", "X-RateLimit-Remaining", state->remaining },
		{ "RateLimit-Reset", "X-RateLimit-Reset", state->reset },
	};
	size_t n = 0;

	ret_headers[n++] = number_header("Retry-After", answer->retry_after);
	if (answer->status != TOO_MANY_REQUESTS)
		return n;
	ret_headers[n++] = list_header(answer, true);
	ret_headers[n++] = list_header(answer, false);
	for (size_t i = 0; x_headers && i < 2 * ARRAY_SIZE(rows); i++)
		ret_headers[n++] = number_header(i % 2 ? rows[i / 2].x_name : rows[i / 2].name,
						 rows[i / 2].value);
	return n;
}

/* ---- bodies ---------------------------------------------------------------------- */

const char *answer_body(const struct answer *answer)
{
	return answer->status == TOO_MANY_REQUESTS ? "429 Too Many Requests\n"
						   : "503 Service Unavailable\n";
}

/* "limit-1","limit-3": those that let no request pass. */
static void put_exceeded(FILE *file, const struct answer *answer)
{
	bool first = true;

	for (unsigned i = 0; i < answer->n_limits; i++) {
		if (!answer->limits[i].exceeded)
			continue;
		(void)fprintf(file, "%s\"limit-%u\"", first ? "" : ",", answer->limits[i].number);
		first = false;
	}
}

const char *answer_problem(const struct answer *answer, char buffer[static ANSWER_PROBLEM_SIZE])
{
	bool over = answer->status == TOO_MANY_REQUESTS;
	FILE *file = fmemopen(buffer, ANSWER_PROBLEM_SIZE, "w");

	buffer[0] = '\0';
	if (!file)
		return buffer;
	(void)fprintf(file,
		      "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%u,"
		      "\"detail\":\"Try again in %llu s.\"",
		      over ? "https://iana.org/assignments/http-problem-types#quota-exceeded"
			   : "about:blank",
		      over ? "Request cannot be satisfied as assigned quota has been exceeded"
			   : "Service Unavailable",
		      answer->status, answer->retry_after);
	if (over) {
		(void)fputs(",\"violated-policies\":[", file);
		put_exceeded(file, answer);
		(void)fputc(']', file);
	}
	(void)fputs("}\n", file);
	(void)fclose(file);
	return buffer;
}
