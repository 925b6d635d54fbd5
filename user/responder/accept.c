// SPDX-License-Identifier: BSD-2-Clause
/* A walk along a list of ranges, each with its parameters; quoted values are passed over. */
#include "responder/accept.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define WEIGHT_MAX 1000U

/* Behind the item that begins at text: its comma, or the end. */
static const char *item_end(const char *text)
{
	bool quoted = false;

	for (; *text && (quoted || *text != ','); text++) {
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
	}
	return text;
}

/* The same of a parameter: its semicolon, or the end of the item. */
static const char *part_end(const char *text, const char *end)
{
	bool quoted = false;

	for (; text < end && (quoted || *text != ';'); text++) {
		if (quoted && *text == '\\' && text + 1 < end)
			text++;
		else if (*text == '"')
			quoted = !quoted;
	}
	return text;
}

static const char *skip_blanks(const char *text, const char *end)
{
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	return text;
}

static size_t trimmed(const char *text, const char *end)
{
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (size_t)(end - text);
}

/* "0.5", with up to three digits: thousandths. WEIGHT_MAX + 1: malformed. */
static unsigned parse_weight(const char *text, size_t length)
{
	unsigned weight, digit = 100;

	if (!length || length > 5 || (text[0] != '0' && text[0] != '1') ||
	    (length > 1 && text[1] != '.'))
		return WEIGHT_MAX + 1;
	weight = text[0] == '1' ? WEIGHT_MAX : 0;
	for (size_t i = 2; i < length; i++, digit /= 10) {
		if (!isdigit((unsigned char)text[i]))
			return WEIGHT_MAX + 1;
		weight += (unsigned)(text[i] - '0') * digit;
	}
	return weight;
}

/* Of an item, from behind its range on. */
static unsigned item_weight(const char *text, const char *end)
{
	while (text < end) {
		const char *part = skip_blanks(text + 1, end);
		const char *stop = part_end(part, end);

		if (stop - part >= 2 && strncasecmp(part, "q=", 2) == 0)
			return parse_weight(part + 2, trimmed(part + 2, stop));
		text = stop;
	}
	return WEIGHT_MAX;
}

static bool is_text(const char *range, size_t length, const char *text, size_t text_length)
{
	return length == text_length && strncasecmp(range, text, length) == 0;
}

/* 3: the type itself, 2: TYPE and a star, 1: two stars; 0: the type is not in the range. */
static unsigned match(const char *range, size_t length, const char *type)
{
	size_t whole = strcspn(type, "; \t"), major = strcspn(type, "/") + 1;

	if (is_text(range, length, type, whole))
		return 3;
	if (major < whole && length == major + 1 && range[major] == '*' &&
	    strncasecmp(range, type, major) == 0)
		return 2;
	return is_text(range, length, "*/*", 3) ? 1 : 0;
}

static void take_item(struct accept *accept, const char *text, const char *end, const char *other)
{
	const char *range_end = part_end(text, end);
	size_t length = trimmed(text, range_end);
	unsigned weight = item_weight(range_end, end);
	unsigned rank = match(text, length, other);

	if (weight > WEIGHT_MAX)
		return;
	if (is_text(text, length, ACCEPT_PROBLEM, strlen(ACCEPT_PROBLEM)))
		accept->problem = weight;
	if (rank > accept->other_rank) {
		accept->other_rank = rank;
		accept->other = weight;
	}
}

void accept_take(struct accept *accept, const char *line, const char *other)
{
	while (*line) {
		const char *end = item_end(line);

		take_item(accept, skip_blanks(line, end), end, other);
		line = end + (*end == ',');
	}
}

bool accept_is_problem(const struct accept *accept)
{
	return accept->problem && accept->problem >= accept->other;
}
