/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows as an aligned table. For cli/out.c.
 */
#ifndef SLUICE_CLI_OUT_TABLE_H
#define SLUICE_CLI_OUT_TABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/out_cell.h"
#include "cli/out_text.h"

/* A part of an answer. */
struct out_section {
	const struct out_column *columns; /* NULL ends the list */
	const char *title;                /* NULL: none */
	const char *member;               /* the array of rows; NULL: the answer is the only row */
	const char *empty;                /* said where there are no rows; NULL: nothing is */
	const char *busy;                 /* only rows in which this member is not 0 */
	bool fields;                      /* one row, a line per column; null is left out */
};

void out_table(const struct out *out, const json_t *rows, const struct out_section *section);

#endif
