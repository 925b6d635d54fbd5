/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options of sluicectl, which may stand anywhere on the command line.
 */
#ifndef SLUICE_OPTIONS_H
#define SLUICE_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct diag;

struct options {
	bool json, help, version;
	const char *socket;
	const char *mode; /* of attach; NULL: not given */
};

/* Takes the options out of words (NULL-terminated), which then holds the rest.
 * -EINVAL and diag: unknown, or without its value.
 */
int options_parse(char **words, struct diag *diag, struct options *ret_options);

void options_help(FILE *file);

#endif
