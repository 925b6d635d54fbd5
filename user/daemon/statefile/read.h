/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading of the state file. For statefile.c.
 */
#ifndef SLUICE_DAEMON_STATEFILE_READ_H
#define SLUICE_DAEMON_STATEFILE_READ_H

#include <stdio.h>

#include "daemon/statefile/record.h"

#define READ_FORM        1 /* of the file; a file of a higher form is a newer sluice's */
#define READ_HEADER_SIZE 80

/* The first line, which ends with a newline; returns its length. */
size_t read_format_header(size_t n_records, char buffer[static READ_HEADER_SIZE]);

#define READ_FAULT_SIZE 160

/* Gives the records to `take` up to the first fault, whose words are put into fault; "":
 * there is none. 0 or -ENOMEM.
 */
int read_records(FILE *file, record_take_fn *take, void *arg, char fault[static READ_FAULT_SIZE]);

#endif
