// SPDX-License-Identifier: BSD-2-Clause
/* sluice-responder: started by sluiced alone, with the descriptors of lib/respond.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/respond.h"
#include "responder/confine.h"
#include "responder/http.h"
#include "responder/lookup.h"
#include "responder/pages.h"
#include "responder/talk.h"

static int complain(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", RESPOND_PROGRAM, what, strerror(error));
	return EXIT_FAILURE;
}

static int say(char word)
{
	return write(RESPOND_FD_TALK, &word, 1) == 1 ? 0 : -errno;
}

static bool is_ping(const char *line, size_t length)
{
	return length == sizeof(RESPOND_PING) - 2 && !memcmp(line, RESPOND_PING, length);
}

/* An answer to a ping that the stream does not take is missed by the daemon alone. */
static void take_line(void *arg, const char *line, size_t length)
{
	int error;

	if (is_ping(line, length)) {
		(void)say(RESPOND_ALIVE);
		return;
	}
	error = pages_take(arg, line, length);
	if (error)
		(void)complain("a service's answer is left out", -error);
}

/* Serves until the daemon is gone. */
static int serve(struct http *http, struct pages *pages)
{
	static struct talk talk;
	struct pollfd polled[] = {
		{ .fd = RESPOND_FD_TALK, .events = POLLIN },
		{ .fd = http_fd(http), .events = POLLIN },
	};
	bool ready = false;
	int error = 0;

	while (!error) {
		if (poll(polled, ARRAY_SIZE(polled), http_step(http)) < 0 && errno != EINTR)
			return complain("poll", errno);
		if (polled[0].revents)
			error = talk_hear(&talk, RESPOND_FD_TALK, take_line, pages);
		if (!error && !ready && pages_known(pages)) {
			error = say(RESPOND_READY);
			ready = true;
		}
	}
	return error == -EPIPE ? EXIT_SUCCESS : complain("cannot talk to the daemon", -error);
}

static int run(void)
{
	struct pages *pages = pages_new();
	struct http *http = NULL;
	struct lookup lookup;
	int error, status;

	if (!pages)
		return complain("cannot start", ENOMEM);
	error = lookup_open(&lookup);
	if (!error)
		http = http_new(RESPOND_FD_LISTENER, &lookup, pages);
	if (!http) {
		pages_free(pages);
		return complain(error ? "cannot read the maps" : "cannot serve HTTP",
				error ? -error : errno);
	}
	error = confine_calls();
	status = error ? complain("cannot confine itself", -error) : serve(http, pages);
	http_free(http);
	pages_free(pages);
	return status;
}

int main(void)
{
	int error;

	/* Whatever the daemon has failed to keep to itself. */
	if (close_range(RESPOND_FD_COUNT, UINT_MAX, 0))
		return complain("close_range", errno);
	if (fcntl(RESPOND_FD_LISTENER, F_GETFD) < 0 ||
	    fcntl(RESPOND_FD_TALK, F_SETFL, O_NONBLOCK) ||
	    fcntl(RESPOND_FD_LOG, F_SETFL, O_NONBLOCK)) {
		fprintf(stderr, "%s is started by sluiced, not by hand\n", RESPOND_PROGRAM);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	error = confine_rights();
	return error ? complain("cannot give up its rights", -error) : run();
}
