/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the control interface answers: a table of routes, each with its method,
 * path and handler. Knows JSON and the balancer, nothing of sockets.
 */
#ifndef SLUICE_DAEMON_API_ROUTES_H
#define SLUICE_DAEMON_API_ROUTES_H

#include <jansson.h>
#include <stddef.h>

struct balancer;

struct api_call {
	struct balancer *balancer;
	const char *method; /* HEAD is asked as GET */
	const char *path;   /* as it came: percent-encoded */
	const char *type;   /* Content-Type, or NULL */
	const char *name;   /* ?name=, or NULL */
	const char *lines;  /* ?lines=, or NULL */
	const char *body;
	size_t length;
};

struct api_answer {
	unsigned status;
	json_t *body;   /* the caller's; NULL, and no text: there was no memory for one */
	char *text;     /* the caller's; a configuration in place of a body, or NULL */
	char allow[32]; /* with status 405: the methods that would do */
};

/* How long a body may be for this method and path. */
size_t api_body_limit(const char *method, const char *path);

/* Changes nothing unless the answer's status is 200. */
struct api_answer api_answer(const struct api_call *call);

/* An answer in words; text may hold any bytes. */
struct api_answer api_refuse(unsigned status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
