/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the control interface, and above all its refusals: each is a
 * sentence. Shared by api/routes.c and api/handlers/general.c.
 */
#ifndef SLUICE_DAEMON_API_REPLY_H
#define SLUICE_DAEMON_API_REPLY_H

#include <stddef.h>

#include "daemon/api/routes.h"

struct diag;

/* Status 200; takes the reference. */
struct api_answer api_reply(json_t *body);

/* With the place, where diag knows one. */
struct api_answer api_refuse_diag(unsigned status, const struct diag *diag);

/* A configuration, or a change of one, that was refused. */
struct api_answer api_refuse_config(int error, const struct diag *diag);

/* Names for a sentence: what does exist, when something does not. Starts as {}. */
struct api_list {
	char text[512];
	size_t n, left_out;
};

void api_list_add(struct api_list *list, const char *name);

/* "a, b and 7 more", or "none". */
const char *api_list_text(struct api_list *list);

#endif
