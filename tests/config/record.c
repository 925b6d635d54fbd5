// SPDX-License-Identifier: BSD-2-Clause
/* Linked into the unit tests by compare.sh (--wrap=config_parse): each text that a
 * test parses is written to the file that CORPUS names, as a record of kind u
 * (corpus.c). Texts of more than 64 KiB are left out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/config/config.h"

#define LENGTH_MAX 65536

int __real_config_parse(const char *text, size_t length, const char *name, struct diag *diag,
			struct config **ret_config);
int __wrap_config_parse(const char *text, size_t length, const char *name, struct diag *diag,
			struct config **ret_config);

int __wrap_config_parse(const char *text, size_t length, const char *name, struct diag *diag,
			struct config **ret_config)
{
	const char *path = getenv("CORPUS");
	FILE *file = path && length <= LENGTH_MAX ? fopen(path, "a") : NULL;

	if (file) {
		(void)fprintf(file, "u %zu\n", length);
		(void)fwrite(text, 1, length, file);
		(void)fputc('\n', file);
		(void)fclose(file);
	}
	return __real_config_parse(text, length, name, diag, ret_config);
}
