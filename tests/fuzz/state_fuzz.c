// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on the state file: any bytes that a disk may give back. Each record that is
 * taken comes back as it was when it is written again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "daemon/statefile/read.h"
#include "daemon/statefile/record.h"

static int take(void *arg, const struct record *record)
{
	char line[RECORD_SIZE], again[RECORD_SIZE];
	size_t length = record_format(record, line);
	struct record parsed;

	(void)arg;
	assert(length && length < RECORD_SIZE && line[length - 1] == '\n');
	line[length - 1] = '\0';
	assert(strlen(line) == length - 1);
	assert(!record_parse(line, &parsed));
	assert(record_format(&parsed, again) == length);
	assert(!memcmp(line, again, length - 1));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char fault[READ_FAULT_SIZE];
	FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!file)
		return 0;
	assert(!read_records(file, take, NULL, fault));
	assert(memchr(fault, '\0', sizeof(fault)));
	(void)fclose(file);
	return 0;
}
