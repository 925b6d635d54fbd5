// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/health/curl_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "lib/base/cleanup.h"

struct curl_loop {
	uv_loop_t *loop;
	uv_timer_t timer; /* libcurl's */
	CURLM *multi;     /* NULL: freed, but for the timer */
	curl_loop_done_fn *done;
};

/* A socket of libcurl's, watched. Goes when libuv has let go of it. */
struct curl_watch {
	uv_poll_t poll;
	struct curl_loop *curl;
	curl_socket_t fd;
	int events; /* that are waited for */
};

/* Each call of done may free the module, so `multi` is looked at every time. */
static void curl_reap(struct curl_loop *curl)
{
	CURLMsg *message;
	int left;

	while (curl->multi && (message = curl_multi_info_read(curl->multi, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result; /* goes with the message on removal */

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_loop_remove(curl, easy);
		curl->done(easy, code);
	}
}

static void curl_timer_fired(uv_timer_t *timer)
{
	struct curl_loop *curl = timer->data;
	int running;

	(void)curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	curl_reap(curl);
}

static int curl_set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct curl_loop *curl = arg;

	(void)multi;
	if (timeout_ms < 0)
		(void)uv_timer_stop(&curl->timer);
	else
		(void)uv_timer_start(&curl->timer, curl_timer_fired, (uint64_t)timeout_ms, 0);
	return 0;
}

static void curl_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct curl_watch *watch = poll->data;
	struct curl_loop *curl = watch->curl;
	int flags = 0, running;

	/* A reset does not take away what came before it, and libcurl reads nothing of a socket
	 * that it is told no more of than an error.
	 */
	if (status < 0)
		flags |= CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(curl->multi, watch->fd, flags, &running);
	/* libuv stops watching after an error, and libcurl may want more of the socket. */
	if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
		(void)uv_poll_start(poll, watch->events, curl_socket_ready);
	curl_reap(curl);
}

static void curl_watch_closed(uv_handle_t *handle)
{
	struct curl_watch *watch = handle->data;

	free(watch);
}

static struct curl_watch *curl_watch_new(struct curl_loop *curl, curl_socket_t fd)
{
	_cleanup_(cleanup_free) struct curl_watch *watch = calloc(1, sizeof(*watch));

	if (!watch || uv_poll_init_socket(curl->loop, &watch->poll, fd) < 0)
		return NULL;
	watch->poll.data = watch;
	watch->curl = curl;
	watch->fd = fd;
	return TAKE_PTR(watch);
}

/* Always 0: -1 would break every transfer. One whose socket cannot be watched
 * runs into its time limit.
 */
static int curl_set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *data)
{
	struct curl_loop *curl = arg;
	struct curl_watch *watch = data;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			uv_close((uv_handle_t *)&watch->poll, curl_watch_closed);
		return 0;
	}
	if (!watch) {
		watch = curl_watch_new(curl, fd);
		if (!watch)
			return 0;
		(void)curl_multi_assign(curl->multi, fd, watch);
	}
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	watch->events = events;
	(void)uv_poll_start(&watch->poll, events, curl_socket_ready);
	return 0;
}

int curl_loop_new(uv_loop_t *loop, curl_loop_done_fn *done, struct curl_loop **ret_curl)
{
	_cleanup_(cleanup_free) struct curl_loop *curl = calloc(1, sizeof(*curl));

	if (!curl || curl_global_init(CURL_GLOBAL_NOTHING))
		return -ENOMEM;
	curl->multi = curl_multi_init();
	if (!curl->multi) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	curl->loop = loop;
	curl->done = done;
	(void)curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, curl_set_socket);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, curl_set_timer);
	(void)curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
	(void)uv_timer_init(loop, &curl->timer);
	curl->timer.data = curl;
	*ret_curl = TAKE_PTR(curl);
	return 0;
}

static void curl_closed(uv_handle_t *handle)
{
	struct curl_loop *curl = handle->data;

	free(curl);
}

void curl_loop_free(struct curl_loop *curl)
{
	if (!curl)
		return;
	(void)curl_multi_cleanup(curl->multi);
	curl->multi = NULL;
	curl_global_cleanup();
	uv_close((uv_handle_t *)&curl->timer, curl_closed);
}

int curl_loop_add(struct curl_loop *curl, CURL *easy)
{
	return curl_multi_add_handle(curl->multi, easy) == CURLM_OK ? 0 : -ENOMEM;
}

void curl_loop_remove(struct curl_loop *curl, CURL *easy)
{
	(void)curl_multi_remove_handle(curl->multi, easy);
}
