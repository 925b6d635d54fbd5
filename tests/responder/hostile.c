// SPDX-License-Identifier: BSD-2-Clause
/* A responder that a client has taken over: it confines itself as the real one does, says that
 * it serves, and then harms what it can reach. test_taken_over.py starts it in the place of the
 * real one, and reads its first line: what the shutdown of the socket that listens gave.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/respond.h"
#include "responder/confine.h"

#define FLOOD_BYTES (16 << 20)

/* Gives up when the other side has not read for a while. */
static void flood(int fd, const char *piece, size_t length)
{
	size_t total = 0;

	while (total < FLOOD_BYTES) {
		ssize_t written = write(fd, piece, length);
		struct pollfd polled = { .fd = fd, .events = POLLOUT };

		if (written > 0)
			total += (size_t)written;
		else if (errno != EAGAIN || poll(&polled, 1, 1500) <= 0)
			return;
	}
}

int main(void)
{
	static const char forged[] = "error: a forged line\n\n\n\n\x1b[2J\n";
	const char ready = RESPOND_READY;
	char line[80];
	int length;

	if (fcntl(RESPOND_FD_LISTENER, F_GETFD) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    fcntl(RESPOND_FD_LOG, F_SETFL, O_NONBLOCK) || confine_rights() || confine_calls() ||
	    write(RESPOND_FD_TALK, &ready, 1) != 1)
		return 1;
	length = snprintf(line, sizeof(line), "shutdown: %s\n",
			  shutdown(RESPOND_FD_LISTENER, SHUT_RDWR) ? strerror(errno) : "done");
	if (write(RESPOND_FD_LOG, line, (size_t)length) != length)
		return 1;
	flood(RESPOND_FD_LOG, forged, sizeof(forged) - 1);
	flood(RESPOND_FD_TALK, "!!!!", 4);
	for (;;)
		(void)poll(NULL, 0, -1);
}
