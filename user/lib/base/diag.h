/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What went wrong, in words for the user. Library code never prints: it
 * returns a negative errno and fills one of these; the caller at the top says
 * it once.
 */
#ifndef SLUICE_LIB_BASE_DIAG_H
#define SLUICE_LIB_BASE_DIAG_H

struct diag {
	char file[256];  /* empty: not about a file */
	unsigned line;   /* from 1; 0: unknown */
	unsigned column; /* from 1 */
	char text[768];  /* one sentence: what is wrong, and what would be right */
};

/* Fills text and returns -error, so that a failing function can say
 * `return diag_set(diag, EINVAL, "...", ...)`. A longer text is cut. diag may
 * be NULL. Leaves file, line and column alone.
 */
int diag_set(struct diag *diag, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The one sentence for want of memory. Returns -ENOMEM. */
int diag_no_memory(struct diag *diag);

/* Writes "file:line:column: text", or what of it is known, to a buffer. */
void diag_format(const struct diag *diag, char *buffer, unsigned long size);

#endif
