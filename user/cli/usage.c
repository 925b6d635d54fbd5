/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The help, made from the tables of commands.
 */
#include "cli/usage.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"
#include "lib/base/suggest.h"

#define NAME_SIZE 64 /* "service show" and, from the user, a bit more */

/* The first n of the user's words, cut to the size of a name. */
static void join(char *const *words, int n, char buffer[static NAME_SIZE])
{
	buffer[0] = '\0';
	for (int i = 0; i < n && words[i]; i++) {
		size_t used = strlen(buffer);

		(void)snprintf(buffer + used, NAME_SIZE - used, "%s%s", i ? " " : "", words[i]);
	}
}

const struct command *usage_find(const struct command *const *tables, char *const *words)
{
	struct command_walk walk = { .tables = tables };
	const struct command *command;
	char name[NAME_SIZE];

	while ((command = command_next(&walk))) {
		join(words, command_words(command), name);
		if (strcmp(name, command->words) == 0)
			return command;
	}
	return NULL;
}

static void print_usage(FILE *file, const struct command *command)
{
	char text[COMMAND_USAGE_SIZE];

	(void)fprintf(file, "usage: sluicectl %s\n", command_usage(command, text));
}

/* All commands, or those of one group. */
static void print_list(FILE *file, const struct command *const *tables, const char *group)
{
	struct command_walk walk = { .tables = tables };
	const struct command *command;

	(void)fprintf(file, "usage: sluicectl COMMAND [ARGUMENT...] [OPTION...]\n\ncommands:\n");
	while ((command = command_next_shown(&walk))) {
		char text[COMMAND_USAGE_SIZE];

		if (group && !command_is_in_group(command, group))
			continue;
		if (strlen(command_usage(command, text)) > 30)
			(void)fprintf(file, "  %s\n%34s%s\n", text, "", command->help);
		else
			(void)fprintf(file, "  %-30s  %s\n", text, command->help);
	}
}

static bool is_group(const struct command *const *tables, const char *word)
{
	struct command_walk walk = { .tables = tables };
	const struct command *command;

	while ((command = command_next_shown(&walk)))
		if (command_is_in_group(command, word))
			return true;
	return false;
}

int usage_help(const struct command *const *tables, const struct command *command,
	       char *const *words)
{
	if (!command && words[0] && !is_group(tables, words[0]))
		return usage_unknown(tables, words);
	if (command) {
		print_usage(stdout, command);
		(void)printf("\n  %s\n", command->help);
	} else {
		print_list(stdout, tables, words[0]);
	}
	options_help(stdout, command ? command->options : ~0U);
	return CLI_DONE;
}

/* The command nearest to the user's words, if it is near enough to be meant. */
static const struct command *nearest(const struct command *const *tables, char *const *words)
{
	struct command_walk walk = { .tables = tables };
	const struct command *command;
	const struct command *best = NULL;
	unsigned best_distance = UINT_MAX;

	while ((command = command_next_shown(&walk))) {
		unsigned distance;
		char name[NAME_SIZE];

		join(words, command_words(command), name);
		distance = suggest_distance(name, command->words);
		if (distance < best_distance && distance <= strlen(command->words) / 3) {
			best_distance = distance;
			best = command;
		}
	}
	return best;
}

int usage_unknown(const struct command *const *tables, char *const *words)
{
	const struct command *suggestion = nearest(tables, words);
	_cleanup_(cleanup_free) char *clean = NULL;
	const char *group = words[0] && is_group(tables, words[0]) ? words[0] : NULL;
	char name[NAME_SIZE];

	join(words, group ? 2 : 1, name);
	clean = out_clean(name);
	if (words[0] && (!group || words[1])) {
		(void)fprintf(stderr, "sluicectl: there is no command \"%s\"", clean ?: "");
		if (suggestion)
			(void)fprintf(stderr, "; did you mean \"%s\"?", suggestion->words);
		(void)fputs("\n\n", stderr);
	}
	print_list(stderr, tables, group);
	if (!words[0])
		options_help(stderr, ~0U);
	return CLI_USAGE;
}

int usage_wrong(const struct command *command, const char *why)
{
	(void)fprintf(stderr, "sluicectl %s: %s\n", command->words, why);
	print_usage(stderr, command);
	return CLI_USAGE;
}
