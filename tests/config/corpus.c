// SPDX-License-Identifier: BSD-2-Clause
/* Writes the corpus that compare.sh runs two trees over: random configurations, all
 * good, each followed by variants of it with a token or two broken or exchanged.
 * The argument is the number of configurations; the corpus goes to standard output. A
 * record is a line "KIND LENGTH", LENGTH bytes, and a newline; KIND is v for a
 * configuration, e for a variant of the last v. The same seed gives the same corpus.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "unit/base/random.h"
#include "unit/config/random_config.h"

#define SEED       0xc0f19ULL
#define N_VARIANTS 4
#define PAIRS_MAX  1024

/* A key and its value in a text. */
struct pair {
	size_t key, key_length;
	size_t value, value_length;
};

/* A configuration's text, taken apart. */
struct source {
	char *text;
	struct pair pairs[PAIRS_MAX];
	size_t n;
};

static bool is_key_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Where a value ends: at its line's end, or at the comma or bracket behind it. */
static size_t value_end(const char *text, size_t at)
{
	unsigned depth = 0;
	char quote = 0;

	for (; text[at] && text[at] != '\n'; at++) {
		char c = text[at];

		if (quote) {
			if (c == '\\' && quote == '"')
				at++;
			else if (c == quote)
				quote = 0;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (!depth && (c == ',' || c == '}' || c == ']')) {
			break;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return at;
}

static void take_apart(struct source *source, char *text)
{
	size_t at = 0;

	source->text = text;
	source->n = 0;
	while (text[at] && source->n < PAIRS_MAX) {
		bool starts = !at || strchr(" {\n", text[at - 1]);
		size_t length = 0;

		while (starts && is_key_letter(text[at + length]))
			length++;
		if (length && text[at + length] == ':' && strchr(" \n", text[at + length + 1])) {
			size_t value = at + length + 1 + (text[at + length + 1] == ' ');

			source->pairs[source->n++] =
				(struct pair){ .key = at,
					       .key_length = length,
					       .value = value,
					       .value_length = value_end(text, value) - value };
		}
		at += length ? length : 1;
	}
}

/* A copy of text with `length` bytes from `at` on exchanged. */
static char *splice(const char *text, size_t at, size_t length, const char *with,
		    size_t with_length)
{
	char *result = malloc(strlen(text) + with_length + 1);

	assert(result);
	memcpy(result, text, at);
	memcpy(result + at, with, with_length);
	(void)strcpy(result + at + with_length, text + at + length);
	return result;
}

static char *with_value(const struct source *source, const struct pair *pair, const char *value,
			size_t length)
{
	return splice(source->text, pair->value, pair->value_length, value, length);
}

/* Of a wrong kind, at the end of a range or behind it. */
static const char *const odd_values[] = {
	"",
	"[]",
	"{}",
	"[a]",
	"{a: b}",
	"text",
	"0",
	"1",
	"-1",
	"2",
	"7",
	"129",
	"33",
	"65535",
	"65536",
	"4294967296",
	"18446744073709551616",
	"1023",
	"1025",
	"67108865",
	"true",
	"yes",
	"''",
	"0s",
	"9ms",
	"99ms",
	"999ms",
	"1s",
	"25h",
	"61m",
	"101%",
	"51%",
	"5%",
	"0/s",
	"1/s",
	"7/min",
	"5MB/s",
	"100000001/s",
	"any",
	"80-90",
	"127.0.0.1",
	"0.0.0.0",
	"224.0.0.1",
	"10.0.0.1/8",
	"'::1'",
	"'fe80::1'",
	"/",
	"a b",
	"'#'",
	"gue",
	"https",
	"full-nat",
	"respond",
	"[10.0.0.0/8, 10.0.0.0/8]",
	"[10.0.0.0/7]",
	"[{file: /nowhere}]",
	"[{file: examples/deny.txt}]",
	"{rate: 5/s}",
	"[{rate: 5/s}, {rate: 6/s}]",
	"[{rate: 5/s}, {rate: 6/s}, {rate: 7/s}, {rate: 8/s}, {rate: 9/s}]",
	"{timeout: 5s}",
	"{type: http, path: /x}",
	"[{name: a}]",
	"[{address: 10.9.9.9}]",
	"\"\\x01\\n\"",
};

static char *odd_value(const struct source *source, const struct pair *pair, uint64_t *state)
{
	const char *value = odd_values[random_below(state, ARRAY_SIZE(odd_values))];

	return with_value(source, pair, value, strlen(value));
}

/* Gives the key a value that the same key has in the other configuration, or an odd one. */
static char *other_value(const struct source *source, const struct pair *pair,
			 const struct source *other, uint64_t *state)
{
	size_t start = random_below(state, (unsigned)other->n);

	for (size_t i = 0; i < other->n; i++) {
		const struct pair *found = &other->pairs[(start + i) % other->n];

		if (found->key_length != pair->key_length ||
		    memcmp(other->text + found->key, source->text + pair->key, pair->key_length))
			continue;
		if (found->value_length != pair->value_length ||
		    memcmp(other->text + found->value, source->text + pair->value,
			   pair->value_length))
			return with_value(source, pair, other->text + found->value,
					  found->value_length);
	}
	return odd_value(source, pair, state);
}

static char *misspelled(const struct source *source, const struct pair *pair, uint64_t *state)
{
	size_t at = pair->key + random_below(state, (unsigned)pair->key_length);
	char letter = (char)('a' + random_below(state, 26));

	return splice(source->text, at, random_below(state, 2), &letter, random_below(state, 2));
}

/* Gives the value the name of another key of this text. */
static char *renamed(const struct source *source, const struct pair *pair, uint64_t *state)
{
	const struct pair *name = &source->pairs[random_below(state, (unsigned)source->n)];

	return splice(source->text, pair->key, pair->key_length, source->text + name->key,
		      name->key_length);
}

static size_t pair_length(const struct source *source, const struct pair *pair)
{
	size_t end = pair->value + pair->value_length;

	if (source->text[end] == ',')
		end++;
	while (source->text[end] == ' ' || source->text[end] == '\n')
		end++;
	return end - pair->key;
}

static char *doubled(const struct source *source, const struct pair *pair)
{
	return splice(source->text, pair->key, 0, source->text + pair->key,
		      pair_length(source, pair));
}

static char *removed(const struct source *source, const struct pair *pair)
{
	return splice(source->text, pair->key, pair_length(source, pair), "", 0);
}

/* Exchanges one digit of the value. */
static char *nudged(const struct source *source, const struct pair *pair, uint64_t *state)
{
	size_t start = pair->value_length ? random_below(state, (unsigned)pair->value_length) : 0;
	char digit = (char)('0' + random_below(state, 10));

	for (size_t i = 0; i < pair->value_length; i++) {
		size_t at = pair->value + (start + i) % pair->value_length;

		if (source->text[at] >= '0' && source->text[at] <= '9')
			return splice(source->text, at, 1, &digit, 1);
	}
	return odd_value(source, pair, state);
}

static char *with_odd_character(const struct source *source, uint64_t *state)
{
	static const char odd[] = "{}[],:'\"#-&*!%@ \t\n0aA\xff\x01|>";
	size_t at = random_below(state, (unsigned)strlen(source->text));

	return splice(source->text, at, random_below(state, 2),
		      &odd[random_below(state, sizeof(odd) - 1)], random_below(state, 2));
}

/* The caller's to free. */
static char *variant(const struct source *source, const struct source *other, uint64_t *state)
{
	const struct pair *pair = &source->pairs[random_below(state, (unsigned)source->n)];

	switch (random_below(state, 12)) {
	case 0:
	case 1:
		return odd_value(source, pair, state);
	case 2:
	case 3:
	case 4:
		return other_value(source, pair, other, state);
	case 5:
		return misspelled(source, pair, state);
	case 6:
		return renamed(source, pair, state);
	case 7:
		return doubled(source, pair);
	case 8:
		return removed(source, pair);
	case 9:
		return with_odd_character(source, state);
	default:
		return nudged(source, pair, state);
	}
}

static void put(char kind, const char *text)
{
	(void)printf("%c %zu\n%s\n", kind, strlen(text), text);
}

/* One variant in four is broken twice, for the order in which faults are told. */
static void put_variants(const struct source *source, const struct source *other, uint64_t *state)
{
	static struct source broken;

	for (unsigned i = 0; i < N_VARIANTS; i++) {
		char *text = variant(source, other, state);

		put('e', text);
		take_apart(&broken, text);
		if (broken.n && !random_below(state, 4)) {
			char *twice = variant(&broken, other, state);

			put('e', twice);
			free(twice);
		}
		free(text);
	}
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	static struct source sources[2];
	uint64_t state = SEED;

	if (!n) {
		(void)fprintf(stderr, "corpus N\n");
		return 2;
	}
	take_apart(&sources[1], random_config(SEED - 1));
	for (unsigned long i = 0; i < n; i++) {
		struct source *source = &sources[i % 2];
		struct source *other = &sources[(i + 1) % 2];
		char *text = random_config(SEED + i);

		assert(text);
		free(source->text);
		take_apart(source, text);
		put('v', text);
		put_variants(source, other, &state);
	}
	free(sources[0].text);
	free(sources[1].text);
	return fflush(stdout) ? 1 : 0;
}
