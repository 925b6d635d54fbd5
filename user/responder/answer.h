/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client is told: 429, and how long it has to wait, or 503. Pure.
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
};

/* What the program's maps say about a connection. */
struct answer_input {
	bool nobody_serves; /* no backend of the service can */
	unsigned n_limits;
	struct answer_limit limits[SL_LIMITS_MAX];
	unsigned long long now; /* ticks (sluice/gcra.h) */
};

struct answer {
	unsigned status; /* 429 or 503 */
	unsigned long long retry_after;
	/* 429: of the limit that makes the client wait longest; in its units, and seconds. */
	unsigned long long limit, remaining, reset;
};

/* retry_after_ms: of a 503. */
struct answer answer_make(const struct answer_input *input, unsigned retry_after_ms);

#define ANSWER_HEADERS_MAX 7

struct answer_header {
	const char *name;
	char value[24];
};

/* Its headers, but for those of the body; returns their number. x_headers: the
 * X-RateLimit-* beside the RateLimit-*.
 */
size_t answer_headers(const struct answer *answer, bool x_headers,
		      struct answer_header ret_headers[static ANSWER_HEADERS_MAX]);

/* The body where no other is configured: the status as a line. */
const char *answer_body(const struct answer *answer);

#endif
