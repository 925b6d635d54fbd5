/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file that keeps the changes at run time over a restart and a reboot. The first line
 * names the form and how many records follow; each further line is a record. A file of few
 * records is replaced as a whole at each change; to a long one, a line is appended. Either
 * is on the disk before the function returns. Invariant: there is no file where there are no
 * records, and a file that could not be read whole is never overwritten.
 */
#ifndef SLUICE_DAEMON_STATEFILE_STATEFILE_H
#define SLUICE_DAEMON_STATEFILE_STATEFILE_H

#include <stddef.h>

#include "daemon/statefile/record.h"

struct diag;
struct statefile;

/* The records that the file is to hold. */
struct statefile_content {
	size_t n;
	void (*get)(const void *arg, size_t number, struct record *ret_record);
	const void *arg;
};

/* Opens the file for this daemon alone and gives its records to `take`, in their order. A
 * file with a fault is moved aside, and the records before the fault are given. 0, or -errno
 * and diag. -EBUSY: another sluiced has the file. Where the file cannot be read, or its
 * directory cannot be made, the result is 0, and statefile_put() refuses.
 */
int statefile_open(const char *path, record_take_fn *take, void *arg, struct diag *diag,
		   struct statefile **ret_file);

/* Makes the file hold the content, which differs by `news` alone from what it holds; NULL:
 * by anything. 0 once it is on the disk; or -errno and diag, and the file is as it was.
 */
int statefile_put(struct statefile *file, const struct statefile_content *content,
		  const struct record *news, struct diag *diag);

/* Whether statefile_put() can succeed at all. */
bool statefile_is_usable(const struct statefile *file);

#define STATEFILE_TEXT_SIZE 1536

/* In words why changes cannot be kept, or were not read; or NULL. Returns buffer. */
const char *statefile_problem(const struct statefile *file,
			      char buffer[static STATEFILE_TEXT_SIZE]);

/* Accepts NULL. */
void statefile_free(struct statefile *file);

#endif
