/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One value of a row as text, as its column wants it.
 */
#ifndef SLUICE_CLI_OUT_CELL_H
#define SLUICE_CLI_OUT_CELL_H

#include <jansson.h>

enum out_kind {
	OUT_TEXT,
	OUT_STATE, /* coloured: up, ok; degraded; down */
	OUT_YES_NO,
	OUT_COUNT,
	OUT_BYTES,        /* 12.3 MB */
	OUT_SECONDS,      /* 3m 12s */
	OUT_MILLISECONDS, /* 1.5 s */
	OUT_SPAN,         /* of milliseconds: 12 ms, 1.5 s, 3m 12s */
	OUT_AMOUNT,       /* as OUT_COUNT; as OUT_BYTES where other is "bytes" */
	OUT_MARKED,       /* with other's name behind it where that is true: drop (dry run) */
	OUT_PERCENT,      /* 40 % */
	OUT_RATIO,        /* member/other: 2/3 */
	OUT_ENDPOINT,     /* member:other; of several addresses the first, and how many more */
	OUT_ENDPOINTS,    /* all of them */
};

struct out_column {
	const char *title; /* NULL ends the list */
	enum out_kind kind;
	const char *member; /* "check.text": of an object in the row */
	const char *other;
	unsigned width; /* longer text is cut; 0: never */
};

/* The text without control characters and marks that reorder a line; each
 * becomes '?'. The caller's to free; NULL where there is no memory.
 */
char *out_clean(const char *text);

/* One cell as text: the caller's to free; NULL where there is no memory. */
char *out_cell(const json_t *row, const struct out_column *column);

#endif
