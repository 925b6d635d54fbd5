// SPDX-License-Identifier: BSD-2-Clause
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

const struct command *command_next(struct command_walk *walk)
{
	for (; *walk->tables; walk->tables++, walk->row = 0)
		if ((*walk->tables)[walk->row].words)
			return &(*walk->tables)[walk->row++];
	return NULL;
}

const struct command *command_next_shown(struct command_walk *walk)
{
	const struct command *command = command_next(walk);

	while (command && command->hidden)
		command = command_next(walk);
	return command;
}

bool command_is_in_group(const struct command *command, const char *word)
{
	size_t length = strcspn(command->words, " ");

	return strlen(word) == length && strncmp(command->words, word, length) == 0;
}

int command_words(const struct command *command)
{
	return strchr(command->words, ' ') ? 2 : 1;
}

const char *command_usage(const struct command *command, char buffer[static COMMAND_USAGE_SIZE])
{
	size_t used = (size_t)snprintf(buffer, COMMAND_USAGE_SIZE, "%s", command->words);

	if (command->arguments[0])
		used += (size_t)snprintf(buffer + used, COMMAND_USAGE_SIZE - used, " %s",
					 command->arguments);
	for (enum option option = 0; option < OPTION_COUNT; option++) {
		const struct option_row *row = options_row(option);

		if (command->options & 1U << option && used < COMMAND_USAGE_SIZE)
			used += (size_t)snprintf(buffer + used, COMMAND_USAGE_SIZE - used,
						 row->value ? " [%s %s]" : " [%s]", row->name,
						 row->value);
	}
	return buffer;
}
