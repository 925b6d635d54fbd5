// SPDX-License-Identifier: BSD-2-Clause
/* 429 is RFC 6585 section 4, Retry-After RFC 9110 section 10.2.3, and the RateLimit
 * fields are those of draft-ietf-httpapi-ratelimit-headers-03.
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
	struct answer answer = { .status = TOO_MANY_REQUESTS };
	unsigned long long longest = 0;

	for (unsigned i = 0; i < input->n_limits; i++) {
		const struct sl_limit *limit = &input->limits[i].limit;
		const struct sl_bucket *bucket = &input->limits[i].bucket;
		struct limit_state state = limit_state(limit, bucket, input->now);
		unsigned long long wait =
			limit_wait_ns(limit, bucket, input->now, request_units(limit));

		if (i &&
		    (wait < longest || (wait == longest && state.remaining >= answer.remaining)))
			continue;
		longest = wait;
		answer.limit = state.limit;
		answer.remaining = state.remaining;
		answer.reset = whole_seconds(state.reset_ns);
	}
	/* It was over when it came here: never "come back at once". */
	answer.retry_after = whole_seconds(longest) ?: 1;
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

size_t answer_headers(const struct answer *answer, bool x_headers,
		      struct answer_header ret_headers[static ANSWER_HEADERS_MAX])
{
	const struct {
		const char *name, *x_name;
		unsigned long long value;
	} rows[] = {
		{ "RateLimit-Limit", "X-RateLimit-Limit", answer->limit },
		{ "RateLimit-Remaining", "X-RateLimit-Remaining", answer->remaining },
		{ "RateLimit-Reset", "X-RateLimit-Reset", answer->reset },
	};
	size_t n = 0;

	ret_headers[n].name = "Retry-After";
	(void)snprintf(ret_headers[n++].value, sizeof(ret_headers->value), "%llu",
		       answer->retry_after);
	if (answer->status != TOO_MANY_REQUESTS)
		return n;
	for (int x = 0; x < (x_headers ? 2 : 1); x++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			ret_headers[n].name = x ? rows[i].x_name : rows[i].name;
			(void)snprintf(ret_headers[n++].value, sizeof(ret_headers->value), "%llu",
				       rows[i].value);
		}
	return n;
}

const char *answer_body(const struct answer *answer)
{
	return answer->status == TOO_MANY_REQUESTS ? "429 Too Many Requests\n"
						   : "503 Service Unavailable\n";
}
