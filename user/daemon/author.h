/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The user and the process that ask for a change at run time.
 */
#ifndef SLUICE_DAEMON_AUTHOR_H
#define SLUICE_DAEMON_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define AUTHOR_USER_SIZE 33 /* useradd(8): names have up to 32 characters */
#define AUTHOR_TEXT_SIZE 96

struct author {
	bool known;
	uid_t uid;
	pid_t pid; /* 0: unknown, as of a change that a file remembers */
	char user
		[AUTHOR_USER_SIZE]; /* the name of uid at that time, in printable ASCII; "": none */
};

/* The process that has connected to this Unix socket. The name is from /etc/passwd alone: a
 * directory service could keep the daemon waiting.
 */
struct author author_of_socket(int fd);

/* "root (uid 0, process 4242)", "uid 1000"; or "an unknown user". Returns buffer. */
const char *author_format(const struct author *author, char buffer[static AUTHOR_TEXT_SIZE]);

#endif
