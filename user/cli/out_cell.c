/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values as people read them. Pure.
 */
#include "cli/out_cell.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

#define NOTHING "-"

/* Whether the terminal would act on the character that starts here: C0, DEL, C1
 * and the marks that change a line's direction (Unicode 9.0.0, UAX #9). Returns
 * its length in bytes, 0 for a harmless one.
 */
static size_t is_control(const unsigned char *text)
{
	if (text[0] < 0x20 || text[0] == 0x7f)
		return 1;
	if (text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
		return 2;
	if (text[0] == 0xe2 && text[1] == 0x80 &&
	    (text[2] == 0x8e || text[2] == 0x8f || (text[2] >= 0xa8 && text[2] <= 0xae)))
		return 3;
	if (text[0] == 0xe2 && text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9)
		return 3;
	return 0;
}

char *out_clean(const char *text)
{
	char *clean = malloc(strlen(text) + 1), *end = clean;

	while (clean && *text) {
		size_t length = is_control((const unsigned char *)text);

		*end++ = length ? '?' : *text;
		text += length ?: 1;
	}
	if (clean)
		*end = '\0';
	return clean;
}

/* ---- members ----------------------------------------------------------- */

static const json_t *find_member(const json_t *row, const char *path)
{
	while (path && row) {
		const char *dot = strchr(path, '.');
		char name[32];

		(void)snprintf(name, sizeof(name), "%.*s", (int)(dot ? dot - path : 31), path);
		row = json_object_get(row, name);
		path = dot ? dot + 1 : NULL;
	}
	return row;
}

static void put_value(FILE *file, const json_t *value)
{
	_cleanup_(cleanup_free) char *clean = NULL;

	if (json_is_string(value)) {
		clean = out_clean(json_string_value(value));
		(void)fputs(clean && *clean ? clean : NOTHING, file);
	} else if (json_is_integer(value)) {
		(void)fprintf(file, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_real(value)) {
		(void)fprintf(file, "%.1f", json_real_value(value));
	} else if (json_is_boolean(value)) {
		(void)fputs(json_is_true(value) ? "yes" : "no", file);
	} else {
		(void)fputs(NOTHING, file);
	}
}

/* ---- units ------------------------------------------------------------- */

/* Powers of 1000, as ip -s and switches count; one digit after the point. */
static void put_bytes(FILE *file, double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	size_t unit = 0;

	/* 999.95 would be rounded to 1000.0 */
	while (bytes >= (unit ? 999.95 : 1000) && unit < ARRAY_SIZE(units) - 1) {
		bytes /= 1000;
		unit++;
	}
	(void)fprintf(file, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void put_seconds(FILE *file, json_int_t seconds)
{
	static const struct {
		json_int_t seconds;
		const char *name, *next;
		json_int_t next_seconds;
	} units[] = {
		{ 86400, "d", "h", 3600 },
		{ 3600, "h", "m", 60 },
		{ 60, "m", "s", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds < units[i].seconds)
			continue;
		(void)fprintf(file, "%" JSON_INTEGER_FORMAT "%s %" JSON_INTEGER_FORMAT "%s",
			      seconds / units[i].seconds, units[i].name,
			      seconds % units[i].seconds / units[i].next_seconds, units[i].next);
		return;
	}
	(void)fprintf(file, "%" JSON_INTEGER_FORMAT "s", seconds);
}

static void put_milliseconds(FILE *file, double ms)
{
	if (ms < 1000)
		(void)fprintf(file, "%.4g ms",
			      ms < 10 ? (double)(long)(ms * 100 + 0.5) / 100
				      : (double)(long)(ms * 10 + 0.5) / 10);
	else
		(void)fprintf(file, "%.6g s", ms / 1000);
}

static void put_span(FILE *file, double ms)
{
	if (ms < 1000)
		put_milliseconds(file, ms);
	else if (ms < 59950) /* 59.95 s would be rounded to 60.0 s */
		(void)fprintf(file, "%.1f s", ms / 1000);
	else
		put_seconds(file, ms < 1e15 ? (json_int_t)(ms / 1000 + 0.5) : (json_int_t)1e12);
}

/* ---- cells ------------------------------------------------------------- */

static void put_amount(FILE *file, const json_t *value, const json_t *unit)
{
	const char *name = json_string_value(unit);

	if (json_is_number(value) && name && strcmp(name, "bytes") == 0)
		put_bytes(file, json_number_value(value));
	else
		put_value(file, value);
}

/* name: of the member that is the mark; "_" stands for a space. */
static void put_marked(FILE *file, const json_t *value, const json_t *mark, const char *name)
{
	put_value(file, value);
	if (!json_is_true(mark))
		return;
	(void)fputs(" (", file);
	for (; *name; name++)
		(void)fputc(*name == '_' ? ' ' : *name, file);
	(void)fputc(')', file);
}

static void put_endpoint(FILE *file, const json_t *address, const json_t *port)
{
	const char *text = json_string_value(address);
	const char *format = text && strchr(text, ':') ? "[%s]:" : "%s:";
	_cleanup_(cleanup_free) char *clean = text ? out_clean(text) : NULL;

	(void)fprintf(file, format, clean ?: NOTHING);
	put_value(file, port);
}

static void put_endpoints(FILE *file, const json_t *value, const json_t *port, bool all)
{
	size_t n = json_array_size(value);

	if (!json_is_array(value))
		return put_endpoint(file, value, port);
	for (size_t i = 0; i < (all || !n ? n : 1); i++) {
		if (i)
			(void)fputs(", ", file);
		put_endpoint(file, json_array_get(value, i), port);
	}
	if (!all && n > 1)
		(void)fprintf(file, " +%zu", n - 1);
}

static void put_cell(FILE *file, const json_t *row, const struct out_column *column)
{
	const json_t *value = find_member(row, column->member);
	const json_t *other = column->other ? find_member(row, column->other) : NULL;

	switch (column->kind) {
	case OUT_BYTES:
		if (json_is_number(value))
			return put_bytes(file, json_number_value(value));
		break;
	case OUT_SECONDS:
		if (json_is_integer(value))
			return put_seconds(file, json_integer_value(value));
		break;
	case OUT_MILLISECONDS:
		if (json_is_number(value))
			return put_milliseconds(file, json_number_value(value));
		break;
	case OUT_SPAN:
		if (json_is_number(value))
			return put_span(file, json_number_value(value));
		break;
	case OUT_AMOUNT:
		return put_amount(file, value, other);
	case OUT_MARKED:
		return put_marked(file, value, other, column->other);
	case OUT_PERCENT:
		if (json_is_integer(value))
			(void)fprintf(file, "%" JSON_INTEGER_FORMAT " %%",
				      json_integer_value(value));
		else
			put_value(file, NULL);
		return;
	case OUT_RATIO:
		put_value(file, value);
		(void)fputc('/', file);
		return put_value(file, other);
	case OUT_ENDPOINT:
	case OUT_ENDPOINTS:
		return put_endpoints(file, value, other, column->kind == OUT_ENDPOINTS);
	case OUT_TEXT:
	case OUT_STATE:
	case OUT_YES_NO:
	case OUT_COUNT:
		break;
	}
	put_value(file, value);
}

char *out_cell(const json_t *row, const struct out_column *column)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	put_cell(file, row, column);
	if (fclose(file) != 0)
		free(TAKE_PTR(text));
	return text;
}
