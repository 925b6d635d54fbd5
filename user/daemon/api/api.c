/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libmicrohttpd on the loop: its epoll descriptor in a uv_poll, its time-outs
 * in a uv_timer, no threads. Invariant: for any behaviour of the clients, at most
 * API_CONNECTIONS of them and API_BODIES_MAX bytes are held, none longer than
 * API_DEADLINE_MS, and nothing here waits.
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
#include "daemon/api/routes.h"
#include "daemon/api/socket.h"
#include "daemon/core/balancer.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/api.h"

#define API_CONNECTIONS 64
#define API_DEADLINE_MS 10000 /* for headers, for the body, to read the answer: each */
#define API_CROWDED_MS  1000  /* for those that ask nothing, while others have no place */
#define API_HEADERS_MAX (32 << 10)

/* A connection's deadline is ours and not libmicrohttpd's, which begins anew
 * with every byte: a client that drips would hold its place for ever.
 */
struct connection {
	int fd;            /* -1: the place is free */
	bool busy;         /* the headers of a request have come, its answer has not gone */
	uint64_t since_ms; /* it was opened, or its last request or answer was complete */
};

struct api {
	struct balancer *balancer;
	struct MHD_Daemon *http;
	char *path;
	int listening, lock; /* once started, the socket is libmicrohttpd's and -1 here */
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	struct connection connections[API_CONNECTIONS];
	unsigned n_connections;
	size_t bodies; /* bytes that bodies take */
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

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
	place->busy = false;
	place->since_ms = now_ms();
	api->n_connections++;
	*context = place;
}

static void connection_step(struct MHD_Connection *connection, bool busy)
{
	struct connection *place =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			->socket_context;

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

		if (place->fd < 0)
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

/* The answer as it is sent, the caller's to free, or NULL; releases the JSON that it was
 * made of.
 */
static char *answer_bytes(const struct api_answer *answer, size_t *ret_length)
{
	char *bytes = answer->text;

	if (!bytes && answer->body)
		bytes = json_dumps(answer->body, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(answer->body);
	*ret_length = bytes ? strlen(bytes) : 0;
	if (bytes && !answer->text)
		bytes[(*ret_length)++] = '\n'; /* in the place of the NUL: the length is known */
	return bytes;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct api_answer answer)
{
	size_t length;
	_cleanup_(cleanup_free) char *bytes = answer_bytes(&answer, &length);
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!bytes)
		return MHD_NO;
	response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	(void)TAKE_PTR(bytes);
	(void)MHD_add_response_header(response, "Content-Type",
				      answer.text ? SL_API_CONFIG_TYPE : "application/json");
	if (answer.allow[0])
		(void)MHD_add_response_header(response, "Allow", answer.allow);
	result = MHD_queue_response(connection, answer.status, response);
	MHD_destroy_response(response);
	return result;
}

static struct api_answer answer_refused(const struct api_body *body)
{
	if (body->refused == MHD_HTTP_SERVICE_UNAVAILABLE)
		return api_refuse(body->refused, "too many large requests at once, try again");
	return api_refuse(body->refused, "the body is too long, at most %zu bytes are taken",
			  body->limit);
}

static struct api_answer answer_request(struct api *api, struct MHD_Connection *connection,
					const struct api_body *body, struct api_call call)
{
	if (body->refused)
		return answer_refused(body);
	call.balancer = api->balancer;
	call.fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	call.type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
	call.name = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "name");
	call.lines = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "lines");
	call.body = body->text ?: "";
	call.length = body->length;
	return api_answer(&call);
}

/* Called with the headers first, then with pieces of the body, then once more. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *length, void **context)
{
	struct api *api = arg;
	struct api_body *body = *context;
	enum MHD_Result result;

	(void)version;
	if (!body) {
		*context = body = api_body_new(api_body_limit(method, path), &api->bodies);
		if (!body)
			return MHD_NO;
		connection_step(connection, true);
		if (!refuse_early(connection, body))
			return MHD_YES;
		body->refused = MHD_HTTP_CONTENT_TOO_LARGE;
		return send_answer(connection, answer_refused(body));
	}
	if (*length) {
		api_body_append(body, data, *length);
		*length = 0;
		return MHD_YES;
	}
	result = send_answer(connection,
			     answer_request(api, connection, body,
					    (struct api_call){ .method = method, .path = path }));
	connection_step(connection, true);
	return result;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	(void)code;
	(void)arg;
	api_body_free(*context);
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

static void on_timer(uv_timer_t *timer);

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

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, api,
				MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

int api_open(const char *path, struct diag *diag, struct api **ret_api)
{
	_cleanup_(cleanup_free) struct api *api = calloc(1, sizeof(*api));
	_cleanup_(cleanup_free) char *path_copy = strdup(path);
	int error;

	if (!api || !path_copy)
		return diag_no_memory(diag);
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
	if (api->http)
		MHD_stop_daemon(api->http);
	cleanup_close(&api->listening);
	api_socket_remove(api->path);
	(void)close(api->lock);
	free(api->path);
	if (!on_loop)
		free(api);
}
