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
#include <stdio.h>

#include "cli/out_cell.h"

#define OUT_WIDTH 100 /* columns of a terminal that status keeps to */

/* A part of an answer. */
struct out_section {
	const struct out_column *columns; /* NULL ends the list */
	const char *title;                /* NULL: none */
	const char *member;               /* the array of rows; NULL: the answer is the only row */
	const char *empty;                /* said where there are no rows; NULL: nothing is */
	const char *busy;                 /* only rows in which this member is not 0 */
	bool fields;                      /* one row, a line per column; null is left out */
};

struct out {
	FILE *file;
	bool json, colour;
};

/* To stdout; coloured on a terminal, unless NO_COLOR is set (no-color.org). */
struct out out_standard(bool json);

/* Prints the sections for people, or the whole answer as JSON. */
void out_answer(const struct out *out, const json_t *answer, const struct out_section *sections);

/* Sentences under a title. */
struct out_list {
	const char *title;
	bool urgent; /* the title is red, else yellow */
	size_t most; /* that are shown */
};

/* The strings of an array, each wrapped at OUT_WIDTH. Nothing where the array is
 * empty. Not for --json.
 */
void out_list(const struct out *out, const struct out_list *list, const json_t *strings);

#endif
