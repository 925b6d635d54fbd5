/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A command of sluicectl: a row of the table at the end of its cmd_*.c. The help, the
 * usage and the completion of shells are made from these rows.
 */
#ifndef SLUICE_CLI_COMMAND_H
#define SLUICE_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

struct cli;

#define COMMAND_COMPLETES_MAX 2
#define COMMAND_USAGE_SIZE    128

struct command {
	const char *words; /* "status", "service list"; NULL ends a table */
	const char
		*arguments; /* for the help: "SERVICE [NAME]"; the options follow by themselves */
	int min, max;       /* arguments */
	int (*run)(struct cli *cli, char *const *arguments); /* NULL-terminated, min to max */
	const char *help;
	unsigned options; /* OPTION()s that it takes beside those of every command */
	/* The words that a shell offers in the place of each argument; @service, @backend,
	 * @source, @denied, @interface and @file stand for existing names. NULL: none.
	 */
	const char *completes[COMMAND_COMPLETES_MAX];
	bool hidden; /* neither helped with nor suggested */
};

/* A walk along tables, the list of which ends with NULL; starts as { .tables = ... }. */
struct command_walk {
	const struct command *const *tables;
	size_t row;
};

/* The next command; NULL: there are no more. */
const struct command *command_next(struct command_walk *walk);

/* The next one that is not hidden. */
const struct command *command_next_shown(struct command_walk *walk);

/* Whether this is the first word of its name: "service" is that of two commands. */
bool command_is_in_group(const struct command *command, const char *word);

/* How many words its name has. */
int command_words(const struct command *command);

/* Its name, arguments and options: "backend drain SERVICE NAME [--timeout TIME]". Returns
 * buffer.
 */
const char *command_usage(const struct command *command, char buffer[static COMMAND_USAGE_SIZE]);

#endif
