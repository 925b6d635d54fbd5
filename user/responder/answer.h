/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client is told: 429, and how long it has to wait, or 503. Pure.
 *
 * The fields RateLimit-Policy and RateLimit are those of
 * draft-ietf-httpapi-ratelimit-headers-10; they tell of every limit that binds the client,
 * by the name "limit-N", N being its place among the limits of the service.
 */
#ifndef SLUICE_RESPONDER_ANSWER_H
#define SLUICE_RESPONDER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/abi.h"

/* A limit that binds the client, and what the client has used of it. */
struct answer_limit {
	struct sl_limit limit;
	struct sl_bucket bucket;
	unsigned number; /* among the limits of the service, from 1 */
};

/* What the program's maps say about a connection. */
struct answer_input {
	bool nobody_serves; /* no backend of the service can */
	unsigned n_limits;
	struct answer_limit limits[SL_LIMITS_MAX];
	unsigned long long now; /* ticks (sluice/gcra.h) */
};

/* One limit, in its units and in seconds. */
struct answer_state {
	unsigned number;
	enum sl_limit_count count;
	unsigned long long limit, remaining;
	unsigned long long reset;  /* until all of it is there again */
	unsigned long long window; /* in which all of it comes back; at least 1 */
	bool exceeded;             /* no request passes now */
};

struct answer {
	unsigned status; /* 429 or 503 */
	unsigned long long retry_after;
	/* 429: all limits that bind the client. */
	struct answer_state limits[SL_LIMITS_MAX];
	unsigned n_limits;
	unsigned longest; /* of these, the one that makes the client wait longest */
};

/* retry_after_ms: of a 503. */
struct answer answer_make(const struct answer_input *input, unsigned retry_after_ms);

#define ANSWER_HEADERS_MAX 9

struct answer_header {
	const char *name;
	char value[320];
};

/* Its headers, but for those of the body; returns their number. x_headers: those of the
 * drafts until 2022, RateLimit-Limit, -Remaining and -Reset, too, and the same with the
 * prefix X-.
 */
size_t answer_headers(const struct answer *answer, bool x_headers,
		      struct answer_header ret_headers[static ANSWER_HEADERS_MAX]);

/* The body where no other is configured: the status as a line. */
const char *answer_body(const struct answer *answer);

#define ANSWER_PROBLEM_SIZE 384

/* The body as application/problem+json (RFC 9457). Returns buffer. */
const char *answer_problem(const struct answer *answer, char buffer[static ANSWER_PROBLEM_SIZE]);

#endif
