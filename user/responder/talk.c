// SPDX-License-Identifier: BSD-2-Clause
#include "responder/talk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void take_lines(struct talk *talk, talk_line_fn *take, void *arg)
{
	char *line = talk->text, *end;
	size_t left = talk->length;

	while ((end = memchr(line, '\n', left))) {
		if (!talk->skipping)
			take(arg, line, (size_t)(end - line));
		talk->skipping = false;
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(talk->text, line, left);
	talk->length = left;
	if (left == sizeof(talk->text)) {
		talk->skipping = true;
		talk->length = 0;
	}
}

int talk_hear(struct talk *talk, int fd, talk_line_fn *take, void *arg)
{
	for (;;) {
		ssize_t length =
			read(fd, talk->text + talk->length, sizeof(talk->text) - talk->length);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (!length)
			return -EPIPE;
		talk->length += (size_t)length;
		take_lines(talk, take, arg);
	}
}
