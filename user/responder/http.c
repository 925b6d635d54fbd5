// SPDX-License-Identifier: BSD-2-Clause
/* libmicrohttpd reads and writes; how many connections there are, and for how long,
 * is visitors.c's. Requests are hostile: one has HEADERS_MAX bytes of memory, and at
 * most BODY_MAX bytes of a body are read, and none of them kept.
 */
#include "responder/http.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/cleanup.h"
#include "responder/accept.h"
#include "responder/answer.h"
#include "responder/clock.h"
#include "responder/lookup.h"
#include "responder/pages.h"
#include "responder/visitors.h"

#define HEADERS_MAX (16 << 10)
#define BODY_MAX    (64 << 10)

struct http {
	const struct lookup *lookup;
	const struct pages *pages;
	struct visitors *visitors;
	struct MHD_Daemon *server;
	int fd;
};

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

/* ---- who is it, and whom did they want? ------------------------------------------ */

/* A mapped address of a dual-stack socket is IPv4. False: neither. */
static bool endpoint_of(const struct sockaddr *from, struct ip *ret_ip, __be16 *ret_port)
{
	const struct sockaddr_in6 *v6 = (const void *)from;
	const struct sockaddr_in *v4 = (const void *)from;
	struct ip ip = { .family = SL_FAMILY_IPV4 };

	if (from->sa_family == AF_INET6) {
		memcpy(&ip.addr, &v6->sin6_addr, sizeof(ip.addr));
		if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			ip.family = SL_FAMILY_IPV6;
		*ret_port = v6->sin6_port;
	} else if (from->sa_family == AF_INET) {
		ip.addr.words[2] = htonl(0xffff);
		ip.addr.words[3] = v4->sin_addr.s_addr;
		*ret_port = v4->sin_port;
	} else {
		return false;
	}
	*ret_ip = ip;
	return true;
}

static int connection_fd(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static bool find_client(struct MHD_Connection *connection, struct ip *ret_client)
{
	__be16 unused;

	return endpoint_of(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
				   ->client_addr,
			   ret_client, &unused);
}

static bool find_service(struct MHD_Connection *connection, struct sl_key *ret_service)
{
	struct sockaddr_storage local;
	socklen_t length = sizeof(local);
	struct ip ip;
	__be16 port;

	if (getsockname(connection_fd(connection), (struct sockaddr *)&local, &length) ||
	    !endpoint_of((struct sockaddr *)&local, &ip, &port))
		return false;
	*ret_service = (struct sl_key){
		.addr = ip.addr,
		.port = port,
		.proto = IPPROTO_TCP,
		.family = ip.family,
	};
	return true;
}

/* ---- connections ------------------------------------------------------------------ */

static enum MHD_Result on_arrival(void *arg, const struct sockaddr *from, socklen_t length)
{
	struct http *http = arg;
	struct ip client;
	__be16 unused;

	(void)length;
	return endpoint_of(from, &client, &unused) && visitors_admit(http->visitors, &client)
		       ? MHD_YES
		       : MHD_NO;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = arg;
	struct ip client;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
		visitors_remove(http->visitors, *context);
	else if (find_client(connection, &client))
		*context =
			visitors_add(http->visitors, &client, connection_fd(connection), now_ms());
}

/* ---- requests --------------------------------------------------------------------- */

#define CONTENT_TYPE "text/plain; charset=utf-8" /* where the page has no other */

struct asking {
	struct accept accept;
	const char *other;
};

static enum MHD_Result take_accept(void *arg, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct asking *asking = arg;

	(void)kind;
	if (value && strcasecmp(name, "Accept") == 0)
		accept_take(&asking->accept, value, asking->other);
	return MHD_YES;
}

/* Whether the client asks for a body that programs read. */
static bool asks_for_problem(struct MHD_Connection *connection, const struct page *page)
{
	struct asking asking = { .other = page->content_type ?: CONTENT_TYPE };

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_accept, &asking);
	return accept_is_problem(&asking.accept);
}

static struct MHD_Response *build_response(const struct answer *answer, const struct page *page,
					   bool problem)
{
	char text[ANSWER_PROBLEM_SIZE];
	const char *body = problem ? answer_problem(answer, text)
				   : page->body ?: answer_body(answer);
	struct answer_header headers[ANSWER_HEADERS_MAX];
	size_t n = answer_headers(answer, page->x_headers, headers);
	/* Copied: the page may be another one before it is sent. */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

	if (!response)
		return NULL;
	for (size_t i = 0; i < n; i++)
		(void)MHD_add_response_header(response, headers[i].name, headers[i].value);
	(void)MHD_add_response_header(
		response, "Content-Type",
		problem ? ACCEPT_PROBLEM : page->content_type ?: CONTENT_TYPE);
	(void)MHD_add_response_header(response, "Vary", "Accept");
	(void)MHD_add_response_header(response, "Connection", "close");
	return response;
}

static enum MHD_Result send_answer(struct http *http, struct MHD_Connection *connection)
{
	struct answer_input input = {};
	struct MHD_Response *response;
	const struct page *page;
	enum MHD_Result result;
	struct sl_key service;
	struct answer answer;
	struct ip client;

	if (!find_service(connection, &service) || !find_client(connection, &client))
		return MHD_NO;
	/* A service that is not there any more serves nobody. */
	if (lookup_client(http->lookup, &service, &client, &input))
		input.nobody_serves = true;
	page = pages_find(http->pages, &service);
	answer = answer_make(&input, page->retry_after_ms);
	response = build_response(&answer, page, asks_for_problem(connection, page));
	if (!response)
		return MHD_NO;
	result = MHD_queue_response(connection, answer.status, response);
	MHD_destroy_response(response);
	return result;
}

/* A short body is read to its end, or the client would be reset while it still sends,
 * and might never see the answer.
 */
static bool body_is_short(struct MHD_Connection *connection)
{
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

	return !MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") &&
	       (!length || strtoull(length, NULL, 10) <= BODY_MAX);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *length, void **context)
{
	static char begun;

	(void)path;
	(void)method;
	(void)version;
	(void)data;
	if (!*context && body_is_short(connection)) {
		*context = &begun;
		return MHD_YES;
	}
	if (*context && *length) {
		*length = 0;
		return MHD_YES;
	}
	return send_answer(arg, connection);
}

/* ---- life --------------------------------------------------------------------------- */

static struct MHD_Daemon *start_server(struct http *http, int listener)
{
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_LISTEN_SOCKET, listener, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, VISITORS_MAX, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADERS_MAX, NULL },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(MHD_USE_EPOLL, 0, on_arrival, http, on_request, http,
				MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

DEFINE_CLEANUP(http_free, struct http *);

struct http *http_new(int listener, const struct lookup *lookup, const struct pages *pages)
{
	_cleanup_(http_freep) struct http *http = calloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;

	if (!http)
		return NULL;
	http->lookup = lookup;
	http->pages = pages;
	http->visitors = visitors_new();
	http->server = http->visitors ? start_server(http, listener) : NULL;
	if (!http->server)
		return NULL;
	info = MHD_get_daemon_info(http->server, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return NULL;
	http->fd = info->epoll_fd;
	return TAKE_PTR(http);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->server)
		MHD_stop_daemon(http->server);
	visitors_free(http->visitors);
	free(http);
}

int http_fd(const struct http *http)
{
	return http->fd;
}

int http_step(struct http *http)
{
	bool was_full = visitors_count(http->visitors) == VISITORS_MAX;
	MHD_UNSIGNED_LONG_LONG pending;
	int next;

	(void)MHD_run(http->server);
	next = visitors_expire(http->visitors, now_ms());
	if (MHD_get_timeout(http->server, &pending) == MHD_YES &&
	    (next < 0 || pending < (MHD_UNSIGNED_LONG_LONG)next))
		next = pending > INT_MAX ? INT_MAX : (int)pending;
	/* A full libmicrohttpd stops listening, and starts again in its next run. */
	return was_full ? 0 : next;
}
