/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A change at run time as a line of the state file: JSON. Pure.
 */
#ifndef SLUICE_DAEMON_STATEFILE_RECORD_H
#define SLUICE_DAEMON_STATEFILE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/author.h"
#include "lib/base/prefix.h"
#include "lib/config/edit.h"

#define RECORD_SIZE 640 /* of a line, with its end and a NUL */

struct record {
	enum { RECORD_EDIT, RECORD_DENY } kind;
	/* The opposite: the backend is as the configuration file has it, the prefix is not
	 * denied.
	 */
	bool undone;
	struct config_change change; /* RECORD_EDIT; both names are given */
	struct prefix prefix;        /* RECORD_DENY */
	/* Of a drain and of a denial: Unix time in ms at which it ends; 0: never. */
	unsigned long long ends_ms;
	unsigned long long made_ms; /* Unix time in ms */
	struct author author;       /* without the process */
};

/* Takes a record that was read. 0 or -ENOMEM. */
typedef int record_take_fn(void *arg, const struct record *record);

/* Writes the line, which ends with a newline, and returns its length. */
size_t record_format(const struct record *record, char buffer[static RECORD_SIZE]);

/* Reads a line, without its newline. 0 or -EINVAL. */
int record_parse(const char *line, struct record *ret_record);

#endif
