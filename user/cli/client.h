/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One request to the daemon over its Unix socket, one answer. Never prints.
 */
#ifndef SLUICE_CLI_CLIENT_H
#define SLUICE_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct diag;

struct request {
	const char *method;
	const char *path; /* encoded, with the query */
	const char *type; /* of the body */
	const char *body;
	size_t length; /* 0: no body */
	bool text;     /* the answer is text, and given as a string */
};

/* The answer is the caller's. -errno: no daemon answers, or it refuses (-EINVAL: because the
 * request is malformed); diag holds its words, with the place if they name one, and diag's
 * list, if there is one, all that it has found.
 */
int client_ask(const char *socket, const struct request *request, struct diag *diag,
	       json_t **ret_answer);

/* Puts the errors and warnings of an answer into diag's list, in the order of diag's file. */
void client_take_findings(const json_t *answer, struct diag *diag);

#endif
