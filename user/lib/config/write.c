// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/write.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/writer.h"

static int write_file(FILE *file, const struct config *config)
{
	struct writer writer = { .scope.config = config };
	int error;

	error = emit_init(&writer.emit, file);
	if (error)
		return error;
	write_section(&writer, &section_config, config);
	return emit_done(&writer.emit);
}

int config_write(const struct config *config, char **ret_text)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size;
	FILE *file;
	int error;

	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	error = write_file(file, config);
	if (fclose(file) != 0 && !error)
		error = -ENOMEM;
	if (error)
		return error;
	*ret_text = TAKE_PTR(text);
	return 0;
}
