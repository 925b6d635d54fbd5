// SPDX-License-Identifier: BSD-2-Clause
/* Quantities as people write them. Every product is checked before it is used. */
#include "lib/base/units.h"
#include "lib/base/array.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	unsigned factor;
};

static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, {},
};

static const struct unit multiples[] = {
	{ "", 1 }, { "k", 1000 }, { "M", 1000 * 1000 }, { "G", 1000 * 1000 * 1000 }, {},
};

static const struct unit bytes[] = {
	{ "", 1 },  { "k", 1000 },  { "M", 1000 * 1000 },  { "G", 1000 * 1000 * 1000 },
	{ "B", 1 }, { "kB", 1000 }, { "MB", 1000 * 1000 }, { "GB", 1000 * 1000 * 1000 },
	{},
};

static const struct unit bits[] = {
	{ "bit", 1 }, { "kbit", 1000 }, { "Mbit", 1000 * 1000 }, { "Gbit", 1000 * 1000 * 1000 }, {},
};

static const struct unit periods[] = {
	{ "s", 1 },
	{ "min", 60 },
	{ "h", 60 * 60 },
	{},
};

static const struct unit *find_unit(const struct unit *units, const char *name, size_t length)
{
	for (; units->name; units++) {
		if (strlen(units->name) == length && memcmp(units->name, name, length) == 0)
			return units;
	}
	return NULL;
}

/* Reads the digits that text starts with; *ret_end is what follows. */
static int parse_digits(const char *text, const char **ret_end, unsigned long long *ret_value)
{
	unsigned long long value = 0;
	const char *digit = text;

	for (; *digit >= '0' && *digit <= '9'; digit++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (unsigned)(*digit - '0'), &value))
			return -ERANGE;
	}
	/* 010 is ten to some readers of YAML and eight to others. */
	if (digit == text || (text[0] == '0' && digit > text + 1))
		return -EINVAL;
	*ret_end = digit;
	*ret_value = value;
	return 0;
}

/* A number and one of units, which together end at end. */
static int parse_quantity(const char *text, const char *end, const struct unit *units,
			  unsigned long long *ret_value)
{
	const struct unit *unit;
	unsigned long long value;
	const char *suffix;
	int error;

	error = parse_digits(text, &suffix, &value);
	if (error)
		return error;
	if (suffix > end)
		return -EINVAL;
	unit = find_unit(units, suffix, (size_t)(end - suffix));
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(value, unit->factor, &value))
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int duration_parse(const char *text, unsigned long long *ret_ms)
{
	return parse_quantity(text, text + strlen(text), durations, ret_ms);
}

int count_parse(const char *text, unsigned long long *ret_count)
{
	return parse_quantity(text, text + strlen(text), multiples, ret_count);
}

int number_parse(const char *text, unsigned long long *ret_number)
{
	unsigned long long number;
	const char *end;
	int error;

	error = parse_digits(text, &end, &number);
	if (error)
		return error;
	if (*end)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

const char *count_format(unsigned long long count, char buffer[static COUNT_TEXT_SIZE])
{
	const struct unit *unit = &multiples[ARRAY_SIZE(multiples) - 2];

	while (count % unit->factor != 0 || (!count && unit != multiples))
		unit--;
	(void)snprintf(buffer, COUNT_TEXT_SIZE, "%llu%s", count / unit->factor, unit->name);
	return buffer;
}

/* A count of bytes that ends at end; of bits where they make whole bytes. */
static int parse_bytes(const char *text, const char *end, unsigned long long *ret_bytes)
{
	unsigned long long value;
	int error;

	error = parse_quantity(text, end, bytes, &value);
	if (error != -EINVAL) {
		if (!error)
			*ret_bytes = value;
		return error;
	}
	error = parse_quantity(text, end, bits, &value);
	if (error)
		return error;
	if (value % 8 != 0)
		return -EINVAL;
	*ret_bytes = value / 8;
	return 0;
}

int bytes_parse(const char *text, unsigned long long *ret_bytes)
{
	return parse_bytes(text, text + strlen(text), ret_bytes);
}

static int parse_counts(const char *text, const char *end, unsigned long long *ret_count)
{
	return parse_quantity(text, end, multiples, ret_count);
}

/* What parse() takes, a slash, and a period. */
static int parse_rate(const char *text,
		      int (*parse)(const char *text, const char *end, unsigned long long *ret),
		      struct rate *ret_rate)
{
	const char *slash = strchr(text, '/');
	const struct unit *period;
	unsigned long long count;
	int error;

	if (!slash)
		return -EINVAL;
	period = find_unit(periods, slash + 1, strlen(slash + 1));
	if (!period)
		return -EINVAL;
	error = parse(text, slash, &count);
	if (error)
		return error;
	if (!count)
		return -EINVAL;
	ret_rate->count = count;
	ret_rate->seconds = period->factor;
	return 0;
}

int rate_parse(const char *text, struct rate *ret_rate)
{
	return parse_rate(text, parse_counts, ret_rate);
}

int byte_rate_parse(const char *text, struct rate *ret_rate)
{
	return parse_rate(text, parse_bytes, ret_rate);
}

int percent_parse(const char *text, unsigned long long *ret_percent)
{
	unsigned long long percent;
	const char *end;
	int error;

	error = parse_digits(text, &end, &percent);
	if (error)
		return error;
	if (strcmp(end, "%") != 0)
		return -EINVAL;
	*ret_percent = percent;
	return 0;
}

unsigned long long rate_default_burst(const struct rate *rate)
{
	unsigned long long burst = rate->count / rate->seconds;

	return burst ? burst : 1;
}
