/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding a command in the tables, and helping where there is none. The list of tables
 * ends with NULL.
 */
#ifndef SLUICE_CLI_USAGE_H
#define SLUICE_CLI_USAGE_H

#include <stdbool.h>

struct command;

/* The command whose words these begin with, each word exactly; or NULL. */
const struct command *usage_find(const struct command *const *tables, char *const *words);

/* Each prints and returns the exit code. json: no lists, which are for people. */
int usage_help(const struct command *const *tables, const struct command *command,
	       char *const *words);
int usage_unknown(const struct command *const *tables, char *const *words, bool json);
int usage_wrong(const struct command *command, const char *why);

#endif
