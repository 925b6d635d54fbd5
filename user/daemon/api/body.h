/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The body of a request, as it arrives in pieces: bounded for itself and
 * together with all others.
 */
#ifndef SLUICE_DAEMON_API_BODY_H
#define SLUICE_DAEMON_API_BODY_H

#include <stddef.h>

#include "sluice/api.h"

#define API_BODIES_MAX ((size_t)2 * SL_API_CONFIG_MAX) /* bytes of all bodies together */

struct api_body {
	size_t limit;  /* the longest that is kept */
	size_t *total; /* bytes that all bodies take */
	char *text;    /* NULL: empty */
	size_t length, size;
	unsigned refused; /* HTTP status, once the body could not be kept; 0: it is here */
};

/* NULL where there is no memory. */
struct api_body *api_body_new(size_t limit, size_t *total);
void api_body_free(struct api_body *body);

/* A body that cannot be kept is forgotten, and the rest of it is read and dropped: a client
 * reads the answer only after it has sent everything.
 */
void api_body_append(struct api_body *body, const char *data, size_t length);

#endif
