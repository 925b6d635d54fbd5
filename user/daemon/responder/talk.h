/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's end of the stream to the responder's process (lib/respond.h). The process may
 * have been taken over: what waits to be sent to it is one text at most, and the process may
 * say no more than it is asked for.
 */
#ifndef SLUICE_DAEMON_RESPONDER_TALK_H
#define SLUICE_DAEMON_RESPONDER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum talk_word {
	TALK_READY,   /* the process serves */
	TALK_NONSENSE /* the process says what it was not asked for; nothing more is heard */
};

typedef void talk_heard_fn(void *arg, enum talk_word word);

struct talk {
	uv_pipe_t pipe;
	talk_heard_fn *heard;
	void *arg;
	char *text; /* what the process is to know, in its latest form */
	size_t length;
	bool sending;  /* a copy of a text is on its way */
	bool outdated; /* and it is not the latest any more */
	bool ready;
	unsigned asked;  /* pings that were sent and not answered */
	unsigned silent; /* pings in a row without an answer, whether or not they were sent */
	char buffer[16];
};

/* Before the first process. Takes the text. */
void talk_init(struct talk *talk, talk_heard_fn *heard, void *arg, char *text, size_t length);

/* Frees the text; the pipe has been closed. */
void talk_done(struct talk *talk);

/* For a new process: the pipe is talk->pipe, which the caller gives to uv_spawn() between
 * these two, and closes. 0 or -errno.
 */
int talk_open(struct talk *talk, uv_loop_t *loop);
int talk_begin(struct talk *talk);

/* Takes another text; sends is whether a process runs. 0 or -errno. */
int talk_tell(struct talk *talk, char *text, size_t length, bool sends);

/* Asks for a sign of life. Returns how many times in a row there was none before this one. */
unsigned talk_ping(struct talk *talk);

#endif
