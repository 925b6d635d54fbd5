// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/responder/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "lib/respond.h"

int output_open(int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK)) {
		int error = -errno;

		(void)close(ends[0]);
		(void)close(ends[1]);
		return error;
	}
	*ret_ours = ends[0];
	*ret_theirs = ends[1];
	return 0;
}

/* log_write() writes what is not printable in an escaped form. */
void output_log(int ours)
{
	char text[OUTPUT_SIZE], *rest = text, *line;
	ssize_t length = read(ours, text, sizeof(text) - 1);

	if (length <= 0)
		return;
	text[length] = '\0';
	for (int i = 0; i < OUTPUT_LINES && (line = strsep(&rest, "\n")); i++) {
		if (*line)
			log_warning(RESPOND_PROGRAM " writes: %s", line);
	}
}
