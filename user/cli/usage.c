/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The help, made from the tables of commands.
 */
#include "cli/usage.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/diag.h"
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
			(void)fprintf(file, "  %s\n%34s", text, "");
		else
			(void)fprintf(file, "  %-30s  ", text);
		out_wrap(file, command->help, 34, OUT_HELP_WIDTH);
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

/* The options that a group's commands have, or (NULL) all. */
static unsigned options_of(const struct command *const *tables, const char *group)
{
	struct command_walk walk = { .tables = tables };
	const struct command *command;
	unsigned set = 0;

	while ((command = command_next_shown(&walk)))
		if (!group || command_is_in_group(command, group))
			set |= command->options;
	return set;
}

int usage_help(const struct command *const *tables, const struct command *command,
	       char *const *words)
{
	if (!command && words[0] && !is_group(tables, words[0]))
		return usage_unknown(tables, words, false);
	if (command) {
		print_usage(stdout, command);
		(void)printf("\n  %s\n", command->help);
	} else {
		print_list(stdout, tables, words[0]);
	}
	options_help(stdout, command ? command->options : options_of(tables, words[0]));
	return CLI_DONE;
}

/* How far the user's words are from a command's name, or its group; UINT_MAX: too far for it
 * to be meant.
 */
static unsigned distance_to(const char *name, char *const *words, int n)
{
	unsigned distance;
	char typed[NAME_SIZE];

	join(words, n, typed);
	distance = suggest_distance(typed, name);
	return distance <= strlen(name) / 3 ? distance : UINT_MAX;
}

/* The name of the command or group nearest to the user's words, if it is near enough to be
 * meant. Returns buffer, or NULL.
 */
static const char *nearest(const struct command *const *tables, char *const *words,
			   char buffer[static NAME_SIZE])
{
	struct command_walk walk = { .tables = tables };
	const struct command *command;
	unsigned best = UINT_MAX;

	while ((command = command_next_shown(&walk))) {
		unsigned whole = distance_to(command->words, words, command_words(command));
		unsigned first;
		char group[NAME_SIZE];

		(void)snprintf(group, sizeof(group), "%.*s", (int)strcspn(command->words, " "),
			       command->words);
		first = words[1] ? UINT_MAX : distance_to(group, words, 1);
		if (whole < best)
			(void)snprintf(buffer, NAME_SIZE, "%s", command->words);
		else if (first < best)
			(void)snprintf(buffer, NAME_SIZE, "%s", group);
		best = whole < best ? whole : first < best ? first : best;
	}
	return best < UINT_MAX ? buffer : NULL;
}

/* One line, so that it is the last on the screen. */
static int refuse_command(const struct command *const *tables, char *const *words, bool group)
{
	char name[NAME_SIZE], meant[NAME_SIZE];
	struct diag diag = {};

	join(words, group ? 2 : 1, name);
	if (nearest(tables, words, meant))
		(void)diag_set(&diag, EINVAL, "there is no command \"%s\"; did you mean \"%s\"?",
			       name, meant);
	else
		(void)diag_set(&diag, EINVAL,
			       "there is no command \"%s\" (see sluicectl%s%s --help)", name,
			       group ? " " : "", group ? words[0] : "");
	cli_complain(&diag);
	return CLI_USAGE;
}

int usage_unknown(const struct command *const *tables, char *const *words, bool json)
{
	bool group = words[0] && is_group(tables, words[0]);
	const struct diag diag = { .text = "a command is missing (see sluicectl --help)" };

	if (words[0] && (!group || words[1]))
		return refuse_command(tables, words, group);
	if (json) {
		cli_complain(&diag);
		return CLI_USAGE;
	}
	print_list(stderr, tables, words[0]);
	options_help(stderr, options_of(tables, words[0]));
	return CLI_USAGE;
}

int usage_wrong(const struct command *command, const char *why)
{
	struct diag diag = {};
	char text[COMMAND_USAGE_SIZE];

	(void)diag_set(&diag, EINVAL, "%s: %s (usage: sluicectl %s)", command->words, why,
		       command_usage(command, text));
	cli_complain(&diag);
	return CLI_USAGE;
}
