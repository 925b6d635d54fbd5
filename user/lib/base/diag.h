/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What went wrong, in words for the user. Library code never prints: it
 * returns a negative errno and fills one of these; the caller at the top says
 * it once.
 */
#ifndef SLUICE_LIB_BASE_DIAG_H
#define SLUICE_LIB_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

struct diag {
	char file[256];  /* empty: not about a file */
	unsigned line;   /* from 1; 0: unknown */
	unsigned column; /* from 1 */
	char text[768];  /* one sentence: what is wrong, and what would be right */
	struct diag_list
		*list; /* for all errors, and for warnings; NULL: the first error is enough */
};

#define DIAG_LIST_MAX 100 /* errors, and as many warnings, that a list keeps */

/* A function that has kept its errors in the list returns -DIAG_KEPT. */
#define DIAG_KEPT EBADMSG

struct diag_item {
	bool warning; /* it does not keep anything from being done */
	struct diag diag;
};

/* What a check has found. Starts as {}; diag_list_done() frees the items. */
struct diag_list {
	struct diag_item *items;
	size_t n, n_errors;
	bool cut; /* there is more than it could keep */
};

/* Fills text and returns -error, so that a failing function can say
 * `return diag_set(diag, EINVAL, "...", ...)`. A longer text is cut. diag may
 * be NULL. Leaves file, line and column alone.
 */
int diag_set(struct diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For a walk that finds several errors. If diag has a list with room, an error of -EINVAL is
 * put there, and the walk goes on: true. -DIAG_KEPT is there already: true, too. In all other
 * cases the walk must end with this error: false.
 */
bool diag_keep(struct diag *diag, int error);

/* Puts a warning into the list, if diag has one: at a place of diag's file (line 0: none). */
void diag_warn(const struct diag *diag, unsigned line, unsigned column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Sorts the items of the file by their places; those of other files follow. */
void diag_list_sort(struct diag_list *list, const char *file);

/* The first error; NULL: there is none. */
const struct diag *diag_list_error(const struct diag_list *list);

void diag_list_done(struct diag_list *list);

/* The one sentence for want of memory. Returns -ENOMEM. */
int diag_no_memory(struct diag *diag);

#define DIAG_LINE_SIZE (sizeof(struct diag) + 64) /* holds any of these lines */

/* Writes "file:line:column: warning: text", or of an error "file:line:column: text". */
void diag_item_format(const struct diag_item *item, char buffer[static DIAG_LINE_SIZE]);

/* Writes "file:line:column: text", or what of it is known, to a buffer. */
void diag_format(const struct diag *diag, char *buffer, unsigned long size);

#endif
