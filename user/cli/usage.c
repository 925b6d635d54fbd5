/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The help, made from the table of commands.
 */
#include "cli/usage.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/cleanup.h"
#include "lib/base/suggest.h"

#define NAME_SIZE 64 /* "service show" and, from the user, a bit more */
#define LINE_SIZE 128

int usage_words(const struct command *command)
{
	return strchr(command->words, ' ') ? 2 : 1;
}

/* The first n of the user's words, cut to what a name could have. */
static void join(char *const *words, int n, char buffer[static NAME_SIZE])
{
	buffer[0] = '\0';
	for (int i = 0; i < n && words[i]; i++) {
		size_t used = strlen(buffer);

		(void)snprintf(buffer + used, NAME_SIZE - used, "%s%s", i ? " " : "", words[i]);
	}
}

const struct command *usage_find(const struct command *commands, char *const *words)
{
	char name[NAME_SIZE];

	for (; commands->words; commands++) {
		join(words, usage_words(commands), name);
		if (strcmp(name, commands->words) == 0)
			return commands;
	}
	return NULL;
}

/* Whether the command's first word is this one: "service" has two commands. */
static bool in_group(const struct command *command, const char *word)
{
	size_t length = strcspn(command->words, " ");

	return strlen(word) == length && strncmp(command->words, word, length) == 0;
}

static void print_usage(FILE *file, const struct command *command)
{
	(void)fprintf(file, "usage: sluicectl %s%s%s\n", command->words,
		      command->arguments[0] ? " " : "", command->arguments);
}

/* All commands, or those of one group. */
static void print_list(FILE *file, const struct command *commands, const char *group)
{
	(void)fprintf(file, "usage: sluicectl COMMAND [ARGUMENT...] [OPTION...]\n\ncommands:\n");
	for (; commands->words; commands++) {
		char text[LINE_SIZE];

		if (group && !in_group(commands, group))
			continue;
		(void)snprintf(text, sizeof(text), "%s %s", commands->words, commands->arguments);
		if (strlen(text) > 30)
			(void)fprintf(file, "  %s\n%34s%s\n", text, "", commands->help);
		else
			(void)fprintf(file, "  %-30s  %s\n", text, commands->help);
	}
}

static bool is_group(const struct command *commands, const char *word)
{
	for (; commands->words; commands++)
		if (in_group(commands, word))
			return true;
	return false;
}

int usage_help(const struct command *commands, const struct command *command, char *const *words)
{
	if (!command && words[0] && !is_group(commands, words[0]))
		return usage_unknown(commands, words);
	if (command) {
		print_usage(stdout, command);
		(void)printf("\n  %s\n", command->help);
	} else {
		print_list(stdout, commands, words[0]);
	}
	options_help(stdout, command ? command->arguments : NULL);
	return CLI_DONE;
}

/* The command nearest to the user's words, if it is near enough to be meant. */
static const struct command *nearest(const struct command *commands, char *const *words)
{
	const struct command *best = NULL;
	unsigned best_distance = UINT_MAX;

	for (; commands->words; commands++) {
		unsigned distance;
		char name[NAME_SIZE];

		join(words, usage_words(commands), name);
		distance = suggest_distance(name, commands->words);
		if (distance < best_distance && distance <= strlen(commands->words) / 3) {
			best_distance = distance;
			best = commands;
		}
	}
	return best;
}

int usage_unknown(const struct command *commands, char *const *words)
{
	const struct command *suggestion = nearest(commands, words);
	_cleanup_(cleanup_free) char *clean = NULL;
	const char *group = words[0] && is_group(commands, words[0]) ? words[0] : NULL;
	char name[NAME_SIZE];

	join(words, group ? 2 : 1, name);
	clean = out_clean(name);
	if (words[0] && (!group || words[1])) {
		(void)fprintf(stderr, "sluicectl: there is no command \"%s\"", clean ?: "");
		if (suggestion)
			(void)fprintf(stderr, "; did you mean \"%s\"?", suggestion->words);
		(void)fputs("\n\n", stderr);
	}
	print_list(stderr, commands, group);
	if (!words[0])
		options_help(stderr, NULL);
	return CLI_USAGE;
}

int usage_wrong(const struct command *command, const char *why)
{
	(void)fprintf(stderr, "sluicectl %s: %s\n", command->words, why);
	print_usage(stderr, command);
	return CLI_USAGE;
}
