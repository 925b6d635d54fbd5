/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request whose route is known, as the handlers get it, and the functions by which they
 * read the names in its path and the members of its body.
 */
#ifndef SLUICE_DAEMON_API_ASK_H
#define SLUICE_DAEMON_API_ASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/api/path.h"
#include "daemon/api/reply.h"

struct author;
struct balancer;

/* A request as it came. */
struct api_call {
	struct balancer *balancer;
	int fd;             /* the connection */
	const char *method; /* HEAD is asked as GET */
	const char *path;   /* percent-encoded */
	const char *type;   /* Content-Type, or NULL */
	const char *name;   /* ?name=, or NULL */
	const char *lines;  /* ?lines=, or NULL */
	const char *body;
	size_t length;
};

enum api_type { API_TEXT, API_NUMBER, API_SWITCH };

struct api_member {
	const char *name;
	enum api_type type;
	bool required;
	json_int_t least, most; /* of a number */
};

enum api_takes {
	API_TAKES_NOTHING, /* a body is ignored */
	API_TAKES_MEMBERS, /* a JSON object of the route's members; no body is one without any */
	API_TAKES_CONFIG,
};

#define API_MEMBERS_MAX 5

struct api_ask;

/* One row of a handler's table. */
struct api_route {
	const char *method; /* NULL ends the table */
	const char *path;   /* as api_path_matches() takes it */
	struct api_answer (*handle)(const struct api_ask *ask);
	enum api_takes takes;
	struct api_member members[API_MEMBERS_MAX];
	bool unlocked; /* takes the balancer's locks itself, and changes nothing */
	bool large;    /* takes much memory until it is answered: one at a time */
};

struct api_ask {
	const struct api_call *call;
	const struct api_route *route;
	struct balancer *balancer;
	const struct api_path *path;
	json_t *body; /* of API_TAKES_MEMBERS: each member of its type, the required ones there */
};

/* Reads the body as the route takes it; status 0 when it is right. ask->body is the
 * caller's.
 */
struct api_answer api_read_body(struct api_ask *ask);

/* The name that stands in the path where the route has {name}; the route must have it. */
const char *api_name(const struct api_ask *ask, const char *name);

/* A member of the body; the route must have it. NULL or false: it is not given. */
const char *api_text(const struct api_ask *ask, const char *name);
bool api_switch(const struct api_ask *ask, const char *name);

/* Logs a change that was made by this request, in one line that begins with the user and
 * the process that asked. Call it once for each change.
 */
void api_log_change(const struct api_ask *ask, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A number within the bounds of the route's member; *value stays as it is where it is not
 * given. False: *ret_refusal.
 */
bool api_number(const struct api_ask *ask, const char *name, unsigned *value,
		struct api_answer *ret_refusal);

#endif
