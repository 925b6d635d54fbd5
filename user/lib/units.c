// SPDX-License-Identifier: BSD-2-Clause
/* Quantities as people write them. Every product is checked before it is used. */
#include "lib/units.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sluice/gcra.h"

#define TICKS_PER_SECOND (1000000000ULL << SL_TICK_SHIFT)
#define INTERVAL_MIN     16 /* ticks; below, rounding the interval would distort the rate */
#define TICKS_MAX        (1ULL << 62) /* burst * interval: leaves room to add it to a time */

struct unit {
	const char *name;
	unsigned factor;
};

static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, {},
};

static const struct unit multiples[] = {
	{ "", 1 },
	{ "k", 1000 },
	{ "M", 1000 * 1000 },
	{},
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
	int err;

	err = parse_digits(text, &suffix, &value);
	if (err)
		return err;
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
	int err;

	err = parse_digits(text, &end, &number);
	if (err)
		return err;
	if (*end)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int rate_parse(const char *text, struct rate *ret_rate)
{
	const char *slash = strchr(text, '/');
	const struct unit *period;
	unsigned long long count;
	int err;

	if (!slash)
		return -EINVAL;
	period = find_unit(periods, slash + 1, strlen(slash + 1));
	if (!period)
		return -EINVAL;
	err = parse_quantity(text, slash, multiples, &count);
	if (err)
		return err;
	if (!count)
		return -EINVAL;
	ret_rate->count = count;
	ret_rate->seconds = period->factor;
	return 0;
}

int percent_parse(const char *text, unsigned long long *ret_percent)
{
	unsigned long long percent;
	const char *end;
	int err;

	err = parse_digits(text, &end, &percent);
	if (err)
		return err;
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

/* Ticks from one to the next, rounded to nearest; 0 where that is too few. */
static unsigned long long rate_interval(const struct rate *rate)
{
	unsigned long long period = rate->seconds * TICKS_PER_SECOND;
	unsigned long long interval = period / rate->count;
	unsigned long long rest = period % rate->count;

	if (interval < INTERVAL_MIN)
		return 0;
	return rest >= rate->count - rest ? interval + 1 : interval;
}

unsigned long long rate_max_burst(const struct rate *rate)
{
	unsigned long long interval = rate_interval(rate);

	return interval ? TICKS_MAX / interval : 0;
}

int rate_to_ticks(const struct rate *rate, unsigned long long burst, struct sl_rate *ret_rate)
{
	if (!burst)
		return -EINVAL;
	if (burst > rate_max_burst(rate))
		return -ERANGE;
	ret_rate->interval = rate_interval(rate);
	ret_rate->tolerance = (burst - 1) * ret_rate->interval;
	return 0;
}
