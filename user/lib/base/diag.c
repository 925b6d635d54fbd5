// SPDX-License-Identifier: BSD-2-Clause
#include "lib/base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int diag_set(struct diag *diag, int error, const char *format, ...)
{
	va_list args;

	if (!diag)
		return -error;
	va_start(args, format);
	(void)vsnprintf(diag->text, sizeof(diag->text), format, args);
	va_end(args);
	return -error;
}

int diag_no_memory(struct diag *diag)
{
	return diag_set(diag, ENOMEM, "out of memory");
}

void diag_format(const struct diag *diag, char *buffer, unsigned long size)
{
	if (!diag->file[0])
		(void)snprintf(buffer, size, "%s", diag->text);
	else if (!diag->line)
		(void)snprintf(buffer, size, "%s: %s", diag->file, diag->text);
	else
		(void)snprintf(buffer, size, "%s:%u:%u: %s", diag->file, diag->line, diag->column,
			       diag->text);
}
