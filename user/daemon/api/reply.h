/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the control interface, and above all its refusals: each is a sentence.
 */
#ifndef SLUICE_DAEMON_API_REPLY_H
#define SLUICE_DAEMON_API_REPLY_H

#include <jansson.h>
#include <stddef.h>

struct diag;

struct api_answer {
	unsigned status;
	json_t *body;   /* the caller's; NULL, and no text: there was no memory for one */
	char *text;     /* the caller's; a configuration in place of a body, or NULL */
	char allow[32]; /* with status 405: the methods that would do */
};

/* Status 200; takes the reference. */
struct api_answer api_reply(json_t *body);

/* In words, which may hold any bytes. */
struct api_answer api_refuse(unsigned status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* With the place, where diag knows one. */
struct api_answer api_refuse_diag(unsigned status, const struct diag *diag);

/* A configuration, or a change of one, that was refused. */
struct api_answer api_refuse_config(int error, const struct diag *diag);

/* Names for a sentence: the things that exist, when one does not. Starts as {}. */
struct api_list {
	char text[512];
	size_t n, left_out;
};

void api_list_add(struct api_list *list, const char *name);

/* "a, b and 7 more", or "none". */
const char *api_list_text(struct api_list *list);

#endif
