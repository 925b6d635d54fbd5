// SPDX-License-Identifier: BSD-2-Clause
/* sluicectl completion bash: writes the tables of commands and options as functions of
 * bash, which packaging/sluicectl.bash-completion calls. For the Makefile.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"

#define WORD_SIZE 64

/* Its first word. Returns buffer. */
static const char *group_of(const struct command *command, char buffer[static WORD_SIZE])
{
	(void)snprintf(buffer, WORD_SIZE, "%.*s", (int)strcspn(command->words, " "),
		       command->words);
	return buffer;
}

/* Whether it is the first command of its group. */
static bool is_first(const struct cli *cli, const struct command *command)
{
	struct command_walk walk = { .tables = cli->tables };
	const struct command *other;
	char group[WORD_SIZE];

	group_of(command, group);
	while ((other = command_next_shown(&walk)) && !command_is_in_group(other, group))
		;
	return other == command;
}

static void put_first_words(const struct cli *cli)
{
	struct command_walk walk = { .tables = cli->tables };
	const struct command *command;
	char group[WORD_SIZE];

	(void)fputs("\t\"\") choices=\"", cli->out.file);
	while ((command = command_next_shown(&walk)))
		if (is_first(cli, command))
			(void)fprintf(cli->out.file, " %s", group_of(command, group));
	(void)fputs("\" ;;\n", cli->out.file);
}

static void put_second_words(const struct cli *cli, const char *group)
{
	struct command_walk walk = { .tables = cli->tables };
	const struct command *command;

	(void)fprintf(cli->out.file, "\t\"%s\") choices=\"", group);
	while ((command = command_next_shown(&walk)))
		if (command_is_in_group(command, group))
			(void)fputs(command->words + strlen(group), cli->out.file);
	(void)fputs("\" ;;\n", cli->out.file);
}

static void put_choices(const struct cli *cli)
{
	FILE *file = cli->out.file;
	struct command_walk walk = { .tables = cli->tables };
	const struct command *command;
	char group[WORD_SIZE];

	(void)fputs("\n_sluicectl_choices()\n{\n\tcase $1 in\n", file);
	put_first_words(cli);
	while ((command = command_next_shown(&walk))) {
		if (command_words(command) > 1 && is_first(cli, command))
			put_second_words(cli, group_of(command, group));
		for (size_t i = 0; i < COMMAND_COMPLETES_MAX && command->completes[i]; i++)
			(void)fprintf(file, "\t\"%s%s) choices=\"%s\" ;;\n", command->words,
				      i ? " \"*" : "\"", command->completes[i]);
	}
	(void)fputs("\tesac\n}\n", file);
}

/* " --mode" for each option of the set. */
static void put_options(FILE *file, unsigned set)
{
	for (enum option i = 0; i < OPTION_COUNT; i++)
		if (set & 1U << i)
			(void)fprintf(file, " %s", options_row(i)->name);
}

static unsigned options_of_all(void)
{
	unsigned set = 0;

	for (enum option i = 0; i < OPTION_COUNT; i++)
		if (options_row(i)->everywhere)
			set |= 1U << i;
	return set;
}

static void put_command_options(const struct cli *cli)
{
	FILE *file = cli->out.file;
	struct command_walk walk = { .tables = cli->tables };
	const struct command *command;

	(void)fputs("\n_sluicectl_options()\n{\n\tchoices=\"", file);
	put_options(file, options_of_all());
	(void)fputs("\"\n\tcase $1 in\n", file);
	while ((command = command_next_shown(&walk))) {
		if (!command->options)
			continue;
		(void)fprintf(file, "\t\"%s\"*) choices+=\"", command->words);
		put_options(file, command->options);
		(void)fputs("\" ;;\n", file);
	}
	(void)fputs("\tesac\n}\n", file);
}

static void put_values(FILE *file)
{
	(void)fputs("\n_sluicectl_value()\n{\n\tcase $1 in\n", file);
	for (enum option i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = options_row(i);

		if (row->value)
			(void)fprintf(file, "\t%s) value=\"%s\" ;;\n", row->name,
				      row->value[0] == '[' ? "@optional"
							   : row->completes ?: "@text");
	}
	(void)fputs("\t*) value=\"\" ;;\n\tesac\n}\n", file);
}

static int completion_bash(struct cli *cli, char *const *arguments)
{
	(void)arguments;
	(void)fputs("\n# From here on made by \"sluicectl completion bash\".\n", cli->out.file);
	put_choices(cli);
	put_command_options(cli);
	put_values(cli->out.file);
	return CLI_DONE;
}

const struct command cmd_completion[] = {
	{ "completion bash", "", 0, 0, completion_bash, "the tables for bash", .hidden = true },
	{},
};
