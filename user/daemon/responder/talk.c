// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/responder/talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/respond.h"

struct telling {
	uv_write_t request;
	char text[];
};

void talk_init(struct talk *talk, talk_heard_fn *heard, void *arg, char *text, size_t length)
{
	*talk = (struct talk){ .heard = heard, .arg = arg, .text = text, .length = length };
}

void talk_done(struct talk *talk)
{
	free(talk->text);
	talk->text = NULL;
}

/* ---- telling ------------------------------------------------------------------- */

static int send_text(struct talk *talk);

static void on_sent(uv_write_t *request, int status)
{
	struct talk *talk = request->handle->data;

	free(request->data);
	talk->sending = false;
	/* A failure means that the process is at its end; the next one is told anew. */
	if (!status && talk->outdated)
		(void)send_text(talk);
}

/* uv_write() keeps what the pipe does not take yet. */
static int send_text(struct talk *talk)
{
	_cleanup_(cleanup_free) struct telling *telling = NULL;
	uv_buf_t buffer;
	int error;

	talk->outdated = talk->sending;
	if (talk->sending)
		return 0;
	telling = malloc(sizeof(*telling) + talk->length);
	if (!telling)
		return -ENOMEM;
	memcpy(telling->text, talk->text, talk->length);
	telling->request.data = telling;
	buffer = uv_buf_init(telling->text, (unsigned)talk->length);
	error = uv_write(&telling->request, (uv_stream_t *)&talk->pipe, &buffer, 1, on_sent);
	if (error)
		return error == UV_EPIPE || error == UV_EBADF ? 0 : error;
	talk->sending = true;
	(void)TAKE_PTR(telling);
	return 0;
}

int talk_tell(struct talk *talk, char *text, size_t length, bool sends)
{
	free(talk->text);
	talk->text = text;
	talk->length = length;
	return sends ? send_text(talk) : 0;
}

/* ---- hearing ------------------------------------------------------------------- */

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct talk *talk = handle->data;

	(void)suggested;
	*ret_buffer = uv_buf_init(talk->buffer, sizeof(talk->buffer));
}

/* Whether the process was asked for this. */
static bool hear(struct talk *talk, char word)
{
	if (word == RESPOND_READY && !talk->ready) {
		talk->ready = true;
		talk->heard(talk->arg, TALK_READY);
		return true;
	}
	if (word != RESPOND_ALIVE || !talk->asked)
		return false;
	talk->asked--;
	talk->silent = 0;
	return true;
}

static void on_heard(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct talk *talk = stream->data;
	ssize_t i = 0;

	while (i < length && hear(talk, buffer->base[i]))
		i++;
	if (i == length)
		return;
	(void)uv_read_stop(stream);
	if (length > 0)
		talk->heard(talk->arg, TALK_NONSENSE);
}

/* ---- a process ----------------------------------------------------------------- */

int talk_open(struct talk *talk, uv_loop_t *loop)
{
	int error = uv_pipe_init(loop, &talk->pipe, 0);

	talk->pipe.data = talk;
	talk->sending = talk->outdated = talk->ready = false;
	talk->asked = talk->silent = 0;
	return error;
}

int talk_begin(struct talk *talk)
{
	(void)uv_read_start((uv_stream_t *)&talk->pipe, give_buffer, on_heard);
	return send_text(talk);
}

/* What the pipe does not take at once is not queued: the process does not read. */
unsigned talk_ping(struct talk *talk)
{
	static const char ping[] = RESPOND_PING;
	uv_buf_t buffer = uv_buf_init((char *)ping, sizeof(ping) - 1);

	if (uv_try_write((uv_stream_t *)&talk->pipe, &buffer, 1) == (int)buffer.len)
		talk->asked++;
	return talk->silent++;
}
