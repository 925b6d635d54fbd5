/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quantities as people write them: 500ms, 1000/s, 10k, 10%. Strict: the whole
 * text is the quantity, a number has no sign, fraction or leading zero. Every
 * parser returns 0, -EINVAL (not such a quantity) or -ERANGE (too large to
 * hold), and leaves its output alone on failure.
 */
#ifndef SLUICE_LIB_BASE_UNITS_H
#define SLUICE_LIB_BASE_UNITS_H

#include "sluice/abi.h"

/* A rate as written: a count, and the seconds in which it may come. */
struct rate {
	unsigned long long count; /* 1 or more */
	unsigned seconds;         /* 1, 60 or 3600 */
};

/* "500ms", "2s", "30m", "1h" */
int duration_parse(const char *text, unsigned long long *ret_ms);

/* "200", "10k" (10 000), "3M" (3 000 000), "1G" */
int count_parse(const char *text, unsigned long long *ret_count);

#define COUNT_TEXT_SIZE 24

/* And back, in the largest unit; returns buffer. */
const char *count_format(unsigned long long count, char buffer[static COUNT_TEXT_SIZE]);

/* "200": digits alone */
int number_parse(const char *text, unsigned long long *ret_number);

/* "1000/s", "10k/min", "60/h" */
int rate_parse(const char *text, struct rate *ret_rate);

/* "10%" */
int percent_parse(const char *text, unsigned long long *ret_percent);

/* The same of bytes: "10MB/s", "80Mbit/s", "1GB/min"; without a unit, bytes. Bits
 * are turned into bytes; -EINVAL where they make no whole one a period.
 */
int byte_rate_parse(const char *text, struct rate *ret_rate);

/* "200", "64k", "2MB", "16Mbit" */
int bytes_parse(const char *text, unsigned long long *ret_bytes);

/* What the rate gives in a second, at least 1. */
unsigned long long rate_default_burst(const struct rate *rate);

#endif
