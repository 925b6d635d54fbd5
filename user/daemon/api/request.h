/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request, from its headers to its answer. It is answered on a fiber, so that a long one
 * holds up no other; its connection is suspended meanwhile.
 */
#ifndef SLUICE_DAEMON_API_REQUEST_H
#define SLUICE_DAEMON_API_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct api_body;
struct balancer;
struct fiber_lock;
struct request;

/* Of a body whose bytes count in *bodies. NULL where there is no memory. */
struct request *request_new(const char *method, const char *path, size_t *bodies);
void request_free(struct request *request);

struct api_body *request_body(struct request *request);

struct request_call {
	struct balancer *balancer;
	struct MHD_Connection *connection;
	struct fiber_lock *large; /* of those that take much memory */
	const char *method, *path;
	/* Called when it is answered, unless it is when request_begin() returns. */
	void (*answered)(struct MHD_Connection *connection, void *arg);
	void *arg;
};

/* Begins to answer; method and path must stay until it is answered. 0 or -ENOMEM. */
int request_begin(struct request *request, const struct request_call *call);
bool request_is_begun(const struct request *request);
bool request_is_answered(const struct request *request);

/* Sends the answer; or, before the request has begun, that the body was refused. */
enum MHD_Result request_send(struct request *request, struct MHD_Connection *connection);

#endif
