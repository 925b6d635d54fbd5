// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/statefile/read.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/cleanup.h"

#define FORM_MEMBER    "sluice_state"
#define RECORDS_MEMBER "records"

struct reading {
	FILE *file;
	char *fault;            /* of READ_FAULT_SIZE bytes */
	unsigned long line;     /* the number of the last one that was read */
	char text[RECORD_SIZE]; /* the line, without its newline */
};

size_t read_format_header(size_t n_records, char buffer[static READ_HEADER_SIZE])
{
	return (size_t)snprintf(buffer, READ_HEADER_SIZE,
				"{\"" FORM_MEMBER "\":%d,\"" RECORDS_MEMBER "\":%zu}\n", READ_FORM,
				n_records);
}

/* Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) static int refuse(struct reading *reading, const char *format,
							...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reading->fault, READ_FAULT_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

/* 1: there is another line; 0: there is none; -EINVAL: it is a fault. */
static int next_line(struct reading *reading)
{
	size_t length;

	if (!fgets(reading->text, sizeof(reading->text), reading->file)) {
		if (ferror(reading->file))
			return refuse(reading, "line %lu cannot be read: %s", reading->line + 1,
				      strerror(errno));
		return 0;
	}
	reading->line++;
	length = strlen(reading->text);
	if (!length || reading->text[length - 1] != '\n')
		return feof(reading->file)
			       ? refuse(reading, "line %lu was cut", reading->line)
			       : refuse(reading, "line %lu is not a record", reading->line);
	reading->text[length - 1] = '\0';
	return 1;
}

static int read_header(struct reading *reading, json_int_t *ret_n)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	json_int_t form;
	int result = next_line(reading);

	if (result <= 0)
		return result ?: refuse(reading, "the file is empty");
	json = json_loads(reading->text, JSON_REJECT_DUPLICATES, NULL);
	if (!json || json_unpack(json, "{s:I}", FORM_MEMBER, &form) || form < 1)
		return refuse(reading, "line 1 is not that of a state file of sluice");
	if (form > READ_FORM)
		return refuse(reading,
			      "a newer sluice wrote the file: its form is %" JSON_INTEGER_FORMAT
			      ", and this sluice knows form %d",
			      form, READ_FORM);
	if (json_unpack(json, "{s:I}", RECORDS_MEMBER, ret_n) || *ret_n < 0)
		return refuse(reading, "line 1 does not say how many records follow");
	return 0;
}

int read_records(FILE *file, record_take_fn *take, void *arg, char fault[static READ_FAULT_SIZE])
{
	struct reading reading = { .file = file, .fault = fault };
	json_int_t n = 0, taken = 0;
	struct record record;
	int error;

	fault[0] = '\0';
	if (read_header(&reading, &n))
		return 0;
	while ((error = next_line(&reading)) > 0) {
		if (record_parse(reading.text, &record)) {
			(void)refuse(&reading, "line %lu is not a record", reading.line);
			return 0;
		}
		error = take(arg, &record);
		if (error)
			return error;
		taken++;
	}
	if (!error && taken < n)
		(void)refuse(&reading,
			     "the file was cut: it has %" JSON_INTEGER_FORMAT
			     " of %" JSON_INTEGER_FORMAT " records",
			     taken, n);
	return 0;
}
