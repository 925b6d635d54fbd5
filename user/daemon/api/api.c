/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libmicrohttpd on the loop: its epoll descriptor in a uv_poll, its time-outs
 * in a uv_timer, no threads; requests are answered on fibers. Invariant: for any behaviour of
 * the clients, at most API_CONNECTIONS of them, API_BODIES_MAX bytes of bodies and the tree of
 * one large answer are held, none longer than API_DEADLINE_MS beside the time that the answer
 * takes, and nothing here waits.
 */
#include "daemon/api/api.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "daemon/api/body.h"
#include "daemon/api/request.h"
#include "daemon/api/socket.h"
#include "daemon/core/balancer.h"
#include "daemon/fiber.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/api.h"

#define API_CONNECTIONS 64
#define API_DEADLINE_MS 10000 /* for headers, for the body, to read the answer: each */
#define API_CROWDED_MS  1000  /* for those that ask nothing, while others have no place */
#define API_HEADERS_MAX (32 << 10)
#define API_LAST_RUNS   256 /* of libmicrohttpd, at the end: each sends a piece of an answer */

/* A connection's deadline is ours and not libmicrohttpd's, which begins anew
 * with every byte: a client that drips would hold its place for ever.
 */
struct connection {
	int fd;            /* -1: the place is free */
	bool busy;         /* the headers of a request have come, its answer has not gone */
	bool suspended;    /* it waits for us */
	uint64_t since_ms; /* it was opened, or its last request or answer was complete */
};

struct api {
	struct balancer *balancer;
	struct fiber_lock large; /* had by the one request that takes much memory now */
	struct MHD_Daemon *http;
	char *path;
	int listening, lock; /* once started, the socket is libmicrohttpd's and -1 here */
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	struct connection connections[API_CONNECTIONS];
	unsigned n_connections;
	size_t bodies; /* bytes that bodies take */
	bool stopping;
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void on_timer(uv_timer_t *timer);

/* ---- connections ------------------------------------------------------- */

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct api *api = arg;
	struct connection *place = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		place->fd = -1;
		api->n_connections--;
		return;
	}
	for (place = api->connections; place->fd >= 0; place++)
		; /* a place is free: libmicrohttpd keeps to API_CONNECTIONS */
	place->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	place->busy = place->suspended = false;
	place->since_ms = now_ms();
	api->n_connections++;
	*context = place;
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

static void connection_step(struct MHD_Connection *connection, bool busy)
{
	struct connection *place = connection_of(connection);

	place->busy = busy;
	place->since_ms = now_ms();
}

/* Shuts the connections whose time is over; libmicrohttpd sees their end and closes them.
 * Returns when the next one is due, in ms from now.
 */
static uint64_t expire_connections(struct api *api)
{
	bool crowded = api->n_connections == API_CONNECTIONS;
	uint64_t now = now_ms(), next = UINT64_MAX;

	for (size_t i = 0; i < API_CONNECTIONS; i++) {
		struct connection *place = &api->connections[i];
		uint64_t due = place->since_ms +
			       (crowded && !place->busy ? API_CROWDED_MS : API_DEADLINE_MS);

		if (place->fd < 0 || place->suspended)
			continue;
		if (due <= now) {
			(void)shutdown(place->fd, SHUT_RDWR);
			place->since_ms = now;
			due = now + API_CROWDED_MS;
		}
		if (due - now < next)
			next = due - now;
	}
	return next;
}

/* ---- requests ---------------------------------------------------------- */

/* Whether the client asks before it sends (Expect: 100-continue, RFC 9110
 * section 10.1.1) and is to be told no.
 */
static bool refuse_early(struct MHD_Connection *connection, const struct api_body *body)
{
	const char *expect = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect");
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

	return expect && length && strtoull(length, NULL, 10) > body->limit;
}

/* libmicrohttpd goes on with the connection when it runs next. */
static void on_answered(struct MHD_Connection *connection, void *arg)
{
	struct api *api = arg;

	connection_of(connection)->suspended = false;
	connection_step(connection, true);
	MHD_resume_connection(connection);
	(void)uv_timer_start(&api->timer, on_timer, 0, 0);
}

static enum MHD_Result send_answer(struct request *request, struct MHD_Connection *connection)
{
	enum MHD_Result result = request_send(request, connection);

	connection_step(connection, true);
	return result;
}

static enum MHD_Result begin(struct api *api, struct request *request,
			     struct MHD_Connection *connection, const char *method,
			     const char *path)
{
	const struct request_call call = {
		.balancer = api->balancer,
		.large = &api->large,
		.connection = connection,
		.method = method,
		.path = path,
		.answered = on_answered,
		.arg = api,
	};

	if (api->stopping || request_begin(request, &call))
		return MHD_NO;
	if (request_is_answered(request))
		return send_answer(request, connection);
	connection_of(connection)->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

/* Called with the headers first, then with pieces of the body, then once more, and again when
 * a suspended connection goes on.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *length, void **context)
{
	struct api *api = arg;
	struct request *request = *context;

	(void)version;
	if (!request) {
		*context = request = request_new(method, path, &api->bodies);
		if (!request)
			return MHD_NO;
		connection_step(connection, true);
		if (!refuse_early(connection, request_body(request)))
			return MHD_YES;
		request_body(request)->refused = MHD_HTTP_CONTENT_TOO_LARGE;
		return send_answer(request, connection);
	}
	if (*length) {
		api_body_append(request_body(request), data, *length);
		*length = 0;
		return MHD_YES;
	}
	return request_is_begun(request) ? send_answer(request, connection)
					 : begin(api, request, connection, method, path);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	(void)code;
	(void)arg;
	request_free(*context);
	*context = NULL;
	connection_step(connection, false);
}

/* Paths and arguments stay as they came: decoded first, an encoded slash or NUL
 * could not be told from a real one.
 */
static size_t keep_encoded(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

/* ---- the loop ---------------------------------------------------------- */

static void drive(struct api *api)
{
	size_t before = api->n_connections;
	MHD_UNSIGNED_LONG_LONG pending;
	uint64_t next;

	(void)expire_connections(api);
	(void)MHD_run(api->http);
	next = expire_connections(api);
	if (MHD_get_timeout(api->http, &pending) == MHD_YES && pending < next)
		next = pending;
	/* libmicrohttpd stops listening when it is full, or when the process has no descriptor
	 * left, and starts again in its next run after a connection has ended.
	 */
	if (api->n_connections < before)
		next = 0;
	if (next == UINT64_MAX)
		(void)uv_timer_stop(&api->timer);
	else
		(void)uv_timer_start(&api->timer, on_timer, next, 0);
}

static void on_timer(uv_timer_t *timer)
{
	drive(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	drive(poll->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct api *api = handle->data;

	if (--api->open_handles == 0)
		free(api);
}

/* ---- life -------------------------------------------------------------- */

static void on_library_message(void *arg, const char *format, va_list args)
{
	char text[256];

	(void)arg;
	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("control socket: %s", text);
}

static struct MHD_Daemon *start_http(struct api *api)
{
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_message, NULL },
		{ MHD_OPTION_LISTEN_SOCKET, api->listening, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, API_CONNECTIONS, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, API_HEADERS_MAX, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
		{ MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_encoded, NULL },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, api },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, api },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
				NULL, NULL, on_request, api, MHD_OPTION_ARRAY, options,
				MHD_OPTION_END);
}

int api_open(const char *path, struct diag *diag, struct api **ret_api)
{
	_cleanup_(cleanup_free) struct api *api = calloc(1, sizeof(*api));
	_cleanup_(cleanup_free) char *path_copy = strdup(path);
	int error;

	if (!api || !path_copy)
		return diag_no_memory(diag);
	fiber_lock_init(&api->large);
	for (size_t i = 0; i < API_CONNECTIONS; i++)
		api->connections[i].fd = -1;
	error = api_socket_open(path, diag, &api->listening, &api->lock);
	if (error)
		return error;
	api->path = TAKE_PTR(path_copy);
	*ret_api = TAKE_PTR(api);
	return 0;
}

int api_start(struct api *api, struct balancer *balancer, struct diag *diag)
{
	const union MHD_DaemonInfo *info;

	api->balancer = balancer;
	api->http = start_http(api);
	if (!api->http)
		return diag_set(diag, EIO, "cannot start the HTTP server");
	api->listening = -1;
	info = MHD_get_daemon_info(api->http, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || uv_poll_init(balancer->loop, &api->poll, info->epoll_fd) < 0)
		return diag_set(diag, EIO, "cannot watch the HTTP server");
	api->poll.data = api->timer.data = api;
	api->open_handles = 2;
	(void)uv_timer_init(balancer->loop, &api->timer);
	(void)uv_poll_start(&api->poll, UV_READABLE, on_poll);
	return 0;
}

/* Sends what is answered, as far as the clients take it at once. */
static void send_the_last(struct api *api)
{
	bool busy = true;

	for (unsigned run = 0; busy && run < API_LAST_RUNS; run++) {
		(void)MHD_run(api->http);
		busy = false;
		for (size_t i = 0; i < API_CONNECTIONS; i++)
			busy |= api->connections[i].fd >= 0 && api->connections[i].busy;
	}
}

void api_free(struct api *api)
{
	bool on_loop;

	if (!api)
		return;
	/* Before their descriptor is closed and its number may be given to another file. */
	on_loop = api->open_handles > 0;
	if (on_loop) {
		uv_close((uv_handle_t *)&api->poll, on_closed);
		uv_close((uv_handle_t *)&api->timer, on_closed);
	}
	api->stopping = true;
	if (api->http) {
		send_the_last(api);
		MHD_stop_daemon(api->http);
	}
	cleanup_close(&api->listening);
	api_socket_remove(api->path);
	(void)close(api->lock);
	free(api->path);
	if (!on_loop)
		free(api);
}
