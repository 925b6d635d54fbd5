// SPDX-License-Identifier: BSD-2-Clause
/* A TCP probe: good when the connection comes about. It is then reset instead
 * of closed, so that neither side keeps it in TIME_WAIT.
 */
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "daemon/health/probe.h"
#include "lib/base/cleanup.h"

struct tcp_probe {
	struct probe head;
	uv_loop_t *loop;
	struct sockaddr_storage address;
	struct tcp_attempt *attempt; /* NULL: none is under way */
};

/* A socket of its own for each probe: it goes when libuv has closed it, which
 * may be after the probe itself has gone.
 */
struct tcp_attempt {
	uv_tcp_t socket;
	uv_connect_t request;
	struct tcp_probe *probe; /* NULL: nobody waits for it any more */
};

static int tcp_open(uv_loop_t *loop, void **ret_shared)
{
	*ret_shared = loop;
	return 0;
}

static void tcp_close(void *shared)
{
	(void)shared;
}

static int tcp_make(void *shared, const struct probe_spec *spec, struct probe **ret_probe)
{
	struct tcp_probe *probe = calloc(1, sizeof(*probe));

	if (!probe)
		return -ENOMEM;
	probe->loop = shared;
	(void)ip_to_sockaddr(&spec->ip, spec->port, &probe->address);
	*ret_probe = &probe->head;
	return 0;
}

static void attempt_closed(uv_handle_t *handle)
{
	struct tcp_attempt *attempt = handle->data;

	free(attempt);
}

/* Lets go of the attempt; its callback may still come, with ECANCELED. */
static void attempt_drop(struct tcp_attempt *attempt, bool connected)
{
	attempt->probe->attempt = NULL;
	attempt->probe = NULL;
	if (!connected || uv_tcp_close_reset(&attempt->socket, attempt_closed) < 0)
		uv_close((uv_handle_t *)&attempt->socket, attempt_closed);
}

static void tcp_connected(uv_connect_t *request, int status)
{
	struct tcp_attempt *attempt = request->data;
	struct tcp_probe *probe = attempt->probe;
	enum probe_outcome outcome = PROBE_OK;
	char text[PROBE_TEXT_SIZE] = "connected";

	if (!probe)
		return;
	if (status < 0)
		outcome = probe_explain(-status, text);
	attempt_drop(attempt, status == 0);
	probe->head.done(probe->head.arg, outcome, text);
}

static int tcp_start(struct probe *head, probe_done_fn *done, void *arg)
{
	struct tcp_probe *probe = (struct tcp_probe *)head;
	_cleanup_(cleanup_free) struct tcp_attempt *attempt = calloc(1, sizeof(*attempt));
	int error;

	if (!attempt)
		return -ENOMEM;
	error = uv_tcp_init(probe->loop, &attempt->socket);
	if (error)
		return error;
	attempt->probe = probe;
	attempt->socket.data = attempt;
	attempt->request.data = attempt;
	probe->attempt = attempt;
	probe->head.done = done;
	probe->head.arg = arg;
	error = uv_tcp_connect(&attempt->request, &attempt->socket,
			       (const struct sockaddr *)&probe->address, tcp_connected);
	if (error)
		attempt_drop(attempt, false);
	(void)TAKE_PTR(attempt); /* the loop's now */
	return error;
}

static void tcp_cancel(struct probe *head)
{
	attempt_drop(((struct tcp_probe *)head)->attempt, false);
}

static void tcp_free(struct probe *head)
{
	struct tcp_probe *probe = (struct tcp_probe *)head;

	if (probe && probe->attempt)
		tcp_cancel(head);
	free(probe);
}

static const char *tcp_missing(struct probe *head)
{
	(void)head;
	return "no answer";
}

const struct probe_kind probe_tcp = {
	.open = tcp_open,
	.close = tcp_close,
	.make = tcp_make,
	.free = tcp_free,
	.start = tcp_start,
	.cancel = tcp_cancel,
	.missing = tcp_missing,
};
