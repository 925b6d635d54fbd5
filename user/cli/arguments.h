/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether words of the command line are what the help calls them: "TIME", "ADDRESS". For
 * main.c.
 */
#ifndef SLUICE_CLI_ARGUMENTS_H
#define SLUICE_CLI_ARGUMENTS_H

struct command;
struct diag;
struct options;

/* Checks the arguments (NULL-terminated) and the values of the options that a command has.
 * -EINVAL and diag: one of them can be right for no daemon.
 */
int arguments_check(const struct command *command, const struct options *options,
		    char *const *arguments, struct diag *diag);

#endif
