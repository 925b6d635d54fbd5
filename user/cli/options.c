/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options: a table, and a walk along the command line. Whole words only,
 * unlike getopt_long(), where each new option may change what an old script
 * means.
 */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/diag.h"
#include "sluice/api.h"

static const struct option {
	const char *name;
	const char *value; /* for the help; NULL: a switch; "[X]": may be left out */
	size_t field;      /* in struct options: a bool or, with a value, a string */
	bool everywhere;   /* for every command; else for those whose arguments name it */
	const char *help;
} table[] = {
	{ "--json", NULL, offsetof(struct options, json), true, "print JSON, for programs" },
	{ "--socket", "PATH", offsetof(struct options, socket), true,
	  "the daemon's control socket (default: $SLUICE_SOCKET or " SL_API_SOCKET ")" },
	{ "--mode", "MODE", offsetof(struct options, mode), false,
	  "of attach: auto (default), native or generic" },
	{ "--timeout", "TIME", offsetof(struct options, timeout), false,
	  "of backend drain: after this long it is disabled (30s, 5m, 2h)" },
	{ "--wait", NULL, offsetof(struct options, wait), false,
	  "of backend drain: until no connection is live" },
	{ "--name", "NAME", offsetof(struct options, name), false,
	  "of backend add (default: its address and port)" },
	{ "--weight", "WEIGHT", offsetof(struct options, weight), false,
	  "of backend add: its share (default: 1)" },
	{ "--backup", NULL, offsetof(struct options, backup), false,
	  "of backend add: serves only while no other can" },
	{ "--lines", "N", offsetof(struct options, lines), false,
	  "of limit and deny: at most so many rows (default: 50, of deny 1000)" },
	{ "--watch", "[TIME]", offsetof(struct options, watch), false,
	  "of limit top: again and again, each second or each TIME, until Ctrl-C" },
	{ "--for", "TIME", offsetof(struct options, lasting), false,
	  "of deny add: after this long it is lifted (30s, 10m, 2h)" },
	{ "--help", NULL, offsetof(struct options, help), true, "this help, or that of a command" },
	{ "--version", NULL, offsetof(struct options, version), true, "print the version" },
};
#define N_OPTIONS ARRAY_SIZE(table)

static const struct option *find(const char *word, size_t length)
{
	if (strcmp(word, "-h") == 0)
		return find("--help", strlen("--help"));
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strlen(table[i].name) == length && strncmp(table[i].name, word, length) == 0)
			return &table[i];
	return NULL;
}

/* The value of an option that may have none: "--watch=5s", or "--watch 5s", for
 * no argument of a command that has it begins with a digit.
 */
static const char *optional_value(char ***word, size_t length)
{
	const char *next = (*word)[1];

	if ((**word)[length])
		return **word + length + 1;
	return next && isdigit((unsigned char)*next) ? *++*word : "";
}

/* Takes the option at *word, and its value: "--socket PATH" or "--socket=PATH".
 * Leaves *word on the last word it took.
 */
static int take_option(char ***word, struct diag *diag, struct options *options)
{
	size_t length = strcspn(**word, "=");
	const struct option *option = find(**word, length);
	char *field, *value;

	if (!option)
		return diag_set(diag, EINVAL, "unknown option %s (see sluicectl --help)", **word);
	field = (char *)options + option->field;
	if (!option->value) {
		if ((**word)[length])
			return diag_set(diag, EINVAL, "%s takes no value", option->name);
		*(bool *)field = true;
		return 0;
	}
	if (option->value[0] == '[') {
		*(const char **)field = optional_value(word, length);
		return 0;
	}
	value = (**word)[length] ? **word + length + 1 : *++*word;
	if (!value || !*value)
		return diag_set(diag, EINVAL, "%s wants a value: %s %s", option->name, option->name,
				option->value);
	*(const char **)field = value;
	return 0;
}

int options_parse(char **words, struct diag *diag, struct options *ret_options)
{
	const char *environment = getenv("SLUICE_SOCKET");
	struct options options = {};
	char **kept = words;

	options.socket = environment && *environment ? environment : SL_API_SOCKET;
	for (char **word = words; *word; word++) {
		if (strcmp(*word, "--") == 0) {
			while (*++word)
				*kept++ = *word;
			break;
		}
		if (strncmp(*word, "-", 1) != 0 || strcmp(*word, "-") == 0) {
			*kept++ = *word;
			continue;
		}
		if (take_option(&word, diag, &options) < 0)
			return -EINVAL;
	}
	*kept = NULL;
	*ret_options = options;
	return 0;
}

static bool is_given(const struct options *options, const struct option *option)
{
	const char *field = (const char *)options + option->field;

	return option->value ? *(const char *const *)field != NULL : *(const bool *)field;
}

static bool is_for(const struct option *option, const char *arguments)
{
	return option->everywhere || strstr(arguments, option->name);
}

int options_misplaced(const struct options *options, const char *arguments, struct diag *diag)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (is_given(options, &table[i]) && !is_for(&table[i], arguments))
			return diag_set(diag, EINVAL, "%s is not an option of this command",
					table[i].name);
	return 0;
}

void options_help(FILE *file, const char *arguments)
{
	(void)fprintf(file, "\noptions, anywhere on the line:\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char name[32];

		if (arguments && !is_for(&table[i], arguments))
			continue;
		(void)snprintf(name, sizeof(name), "%s %s", table[i].name, table[i].value ?: "");
		(void)fprintf(file, "  %-15s  %s\n", name, table[i].help);
	}
}
