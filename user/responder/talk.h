/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The line to the daemon: lines of a stream that does not block.
 */
#ifndef SLUICE_RESPONDER_TALK_H
#define SLUICE_RESPONDER_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/respond.h"

typedef void talk_line_fn(void *arg, const char *line, size_t length);

struct talk {
	size_t length; /* of what waits for its end */
	bool skipping; /* a line that is too long */
	char text[RESPOND_LINE_MAX];
};

/* Reads what is there and calls `take` for each whole line, without its end. 0, or
 * -EPIPE: the daemon is gone; -errno.
 */
int talk_hear(struct talk *talk, int fd, talk_line_fn *take, void *arg);

#endif
