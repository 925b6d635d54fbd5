/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of the help stand for kinds of values, which are the rows of a table here. A
 * word without a row (INTERFACE, FILE) may be any text that is not empty.
 */
#include "cli/arguments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "cli/command.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"
#include "lib/base/prefix.h"
#include "lib/base/suggest.h"
#include "lib/base/units.h"
#include "lib/config/config.h"

#define WORD_SIZE 32

static bool is_time(const char *text)
{
	unsigned long long ms;

	return duration_parse(text, &ms) == 0 && ms >= SL_API_TIME_LEAST_MS &&
	       ms <= SL_API_TIME_MOST_MS;
}

static bool is_rows(const char *text)
{
	unsigned long long n;

	return number_parse(text, &n) == 0 && n >= 1 && n <= SL_API_ROWS_MAX;
}

static bool is_weight(const char *text)
{
	unsigned long long weight;

	return number_parse(text, &weight) == 0 && weight <= CONFIG_WEIGHT_MAX;
}

static bool is_mode(const char *text)
{
	enum attach_mode mode;

	return config_mode_parse(text, &mode) == 0;
}

static bool is_prefix(const char *text)
{
	struct prefix prefix;

	return prefix_parse(text, &prefix) == 0;
}

/* Or the prefix that counts as one source, as `limit top` shows it. */
static bool is_address(const char *text)
{
	return is_prefix(text);
}

static bool is_address_or_all(const char *text)
{
	return strcmp(text, "all") == 0 || is_address(text);
}

/* A name, or two as SERVICE/NAME. */
static bool is_name(const char *text)
{
	size_t first = strcspn(text, "/");

	return first <= CONFIG_NAME_MAX && strlen(text + first) <= CONFIG_NAME_MAX + 1;
}

static bool is_socket(const char *text)
{
	return strlen(text) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static const char *const modes[] = { "auto", "native", "generic", NULL };

struct kind {
	const char *word; /* of the help */
	bool (*is)(const char *text);
	const char *want;
	const char *const *words; /* that there are; NULL: the values are no words */
};

static const struct kind kinds[] = {
	{ "TIME", is_time, "a duration from 1s to 720h, such as 30s, 5m or 2h", NULL },
	{ "N", is_rows, "a number from 1 to 1000", NULL },
	{ "WEIGHT", is_weight, "a number from 0 to 65535", NULL },
	{ "MODE", is_mode, "auto, native or generic", modes },
	{ "PREFIX", is_prefix, "a prefix like 203.0.113.0/24 or 2001:db8::/32, or an address",
	  NULL },
	{ "ADDRESS", is_address, "an IPv4 or IPv6 address", NULL },
	{ "ADDRESS|all", is_address_or_all, "an IPv4 or IPv6 address, or \"all\"", NULL },
	{ "SERVICE", is_name, "a name of at most 63 characters", NULL },
	{ "NAME", is_name, "a name of at most 63 characters", NULL },
	{ "PATH", is_socket, "a path of at most 107 bytes: a longer one is too long for a socket",
	  NULL },
};

_Static_assert(SL_API_TIME_LEAST_MS == 1000 && SL_API_TIME_MOST_MS == 720 * 3600 * 1000ULL &&
		       SL_API_ROWS_MAX == 1000 && CONFIG_WEIGHT_MAX == 65535 &&
		       CONFIG_NAME_MAX == 63,
	       "what the table says");

/* " (did you mean ...?)", or nothing. Returns buffer. */
static const char *suggest(const struct kind *kind, const char *text,
			   char buffer[static PREFIX_FAULT_SIZE])
{
	const char *fault = prefix_fault(text, buffer);
	const char *question = fault ? strstr(fault, "did you mean") : NULL;
	const char *word = kind->words ? suggest_list(text, kind->words) : NULL;
	char meant[PREFIX_FAULT_SIZE] = "";

	if (question)
		(void)snprintf(meant, sizeof(meant), " (%s)", question);
	else if (word)
		(void)snprintf(meant, sizeof(meant), " (did you mean %s?)", word);
	memcpy(buffer, meant, sizeof(meant));
	return buffer;
}

/* name: of the option or the word of the help; word: what its value is called. */
static int check_value(struct diag *diag, const char *name, const char *word, const char *text)
{
	char meant[PREFIX_FAULT_SIZE];

	if (!*text)
		return diag_set(diag, EINVAL, "%s is empty", name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].word, word) == 0 && !kinds[i].is(text))
			return diag_set(diag, EINVAL, "%s must be %s, not \"%s\"%s", name,
					kinds[i].want, text, suggest(&kinds[i], text, meant));
	return 0;
}

int arguments_check(const struct command *command, const struct options *options,
		    char *const *arguments, struct diag *diag)
{
	const char *words = command->arguments;
	int error = 0;

	for (enum option i = 0; i < OPTION_COUNT && !error; i++) {
		const struct option_row *row = options_row(i);

		if (options->value[i] && row->value && row->value[0] != '[')
			error = check_value(diag, row->name, row->value, options->value[i]);
	}
	for (; *arguments && !error; arguments++) {
		const char *begin = words + strspn(words, "["); /* "SERVICE [NAME [TIME]]" */
		size_t end = strcspn(begin, " "), length = end;
		char word[WORD_SIZE];

		while (length && begin[length - 1] == ']' && !memchr(begin, '[', length))
			length--;
		(void)snprintf(word, sizeof(word), "%.*s", (int)length, begin);
		words = begin + end + strspn(begin + end, " ");
		error = check_value(diag, word, word, *arguments);
	}
	return error;
}
