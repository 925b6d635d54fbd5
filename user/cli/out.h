/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The output of commands. A row is a JSON object from the daemon; columns say
 * which of its members to show, and how. The same rows come out as an aligned
 * table or, with --json, as they are. Nothing from the daemon reaches a
 * terminal with its control characters.
 */
#ifndef SLUICE_CLI_OUT_H
#define SLUICE_CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/out_table.h"
#include "cli/out_text.h"

/* To stdout; coloured on a terminal, unless NO_COLOR is set (no-color.org). */
struct out out_standard(bool json);

/* Columns of the terminal; 0: it is none. */
size_t out_terminal_width(int fd);

/* Prints the sections for people, or the whole answer as JSON. */
void out_answer(const struct out *out, const json_t *answer, const struct out_section *sections);

/* Sentences under a title. */
struct out_list {
	const char *title;
	bool urgent; /* the title is red, else yellow */
	size_t most; /* that are shown */
};

/* The strings of an array, each wrapped at the width of out. Nothing where the array is
 * empty. Not for --json.
 */
void out_list(const struct out *out, const struct out_list *list, const json_t *strings);

#endif
