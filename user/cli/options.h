/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options of sluicectl, which may stand anywhere on the command line.
 */
#ifndef SLUICE_CLI_OPTIONS_H
#define SLUICE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct diag;

struct options {
	bool json, help, version;
	const char *socket;
	const char *mode; /* these: NULL is not given */
	const char *timeout, *name, *weight, *lines, *lasting;
	const char *watch; /* empty: given without a value */
	bool wait, backup;
};

/* Takes the options out of words (NULL-terminated), which then holds the rest.
 * -EINVAL and diag: unknown, or without its value.
 */
int options_parse(char **words, struct diag *diag, struct options *ret_options);

/* -EINVAL and diag: one was given that is only for other commands. arguments:
 * the command's, as its help shows them.
 */
int options_misplaced(const struct options *options, const char *arguments, struct diag *diag);

/* Of all commands, or of the one with these arguments. */
void options_help(FILE *file, const char *arguments);

#endif
