/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding a command in the table, and helping where there is none. commands
 * ends with an empty row.
 */
#ifndef SLUICE_CLI_USAGE_H
#define SLUICE_CLI_USAGE_H

struct command;

/* The command whose words these begin with, each word exactly; or NULL. */
const struct command *usage_find(const struct command *commands, char *const *words);

/* How many words its name has. */
int usage_words(const struct command *command);

/* Each prints and returns the exit code. */
int usage_help(const struct command *commands, const struct command *command, char *const *words);
int usage_unknown(const struct command *commands, char *const *words);
int usage_wrong(const struct command *command, const char *why);

#endif
