/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quantities as people write them: 500ms, 1000/s, 10k, 10%. Strict: the whole
 * text is the quantity, a number has no sign, fraction or leading zero. Every
 * parser returns 0, -EINVAL (not such a quantity) or -ERANGE (too large to
 * hold), and leaves its output alone on failure.
 */
#ifndef SLUICE_UNITS_H
#define SLUICE_UNITS_H

#include "sluice/abi.h"

/* A rate as written: so many in so many seconds. */
struct rate {
	unsigned long long count; /* 1 or more */
	unsigned seconds;         /* 1, 60 or 3600 */
};

/* "500ms", "2s", "30m", "1h" */
int duration_parse(const char *text, unsigned long long *ret_ms);

/* "200", "10k" (10 000), "3M" (3 000 000) */
int count_parse(const char *text, unsigned long long *ret_count);

/* "200": digits alone */
int number_parse(const char *text, unsigned long long *ret_number);

/* "1000/s", "10k/min", "60/h" */
int rate_parse(const char *text, struct rate *ret_rate);

/* "10%" */
int percent_parse(const char *text, unsigned long long *ret_percent);

/* What the rate gives in a second, at least 1. */
unsigned long long rate_default_burst(const struct rate *rate);

/* The largest burst that rate_to_ticks() takes at this rate; 0: the rate itself
 * is too high.
 */
unsigned long long rate_max_burst(const struct rate *rate);

/* The rate as the program wants it. -ERANGE where rate_max_burst() is less than
 * burst; -EINVAL for a burst of 0.
 */
int rate_to_ticks(const struct rate *rate, unsigned long long burst, struct sl_rate *ret_rate);

#endif
