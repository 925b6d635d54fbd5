/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The body of a request. Invariant: *total is the sum of the sizes.
 */
#include "daemon/api/body.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>

#include "lib/base/cleanup.h"

#define BODY_START 4096

struct api_body *api_body_new(size_t limit, size_t *total)
{
	struct api_body *body = calloc(1, sizeof(*body));

	if (body) {
		body->limit = limit;
		body->total = total;
	}
	return body;
}

static void empty(struct api_body *body)
{
	*body->total -= body->size;
	body->size = body->length = 0;
	free(TAKE_PTR(body->text));
}

void api_body_free(struct api_body *body)
{
	if (!body)
		return;
	empty(body);
	free(body);
}

static int reserve(struct api_body *body, size_t length)
{
	size_t size = body->size ?: BODY_START;
	char *text;

	while (size < length)
		size *= 2;
	if (size == body->size)
		return 0;
	if (size - body->size > API_BODIES_MAX - *body->total)
		return -ENOMEM;
	text = realloc(body->text, size);
	if (!text)
		return -ENOMEM;
	*body->total += size - body->size;
	body->text = text;
	body->size = size;
	return 0;
}

void api_body_append(struct api_body *body, const char *data, size_t length)
{
	if (body->refused)
		return;
	if (length > body->limit - body->length)
		body->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	else if (reserve(body, body->length + length) < 0)
		body->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
	if (body->refused)
		return empty(body);
	memcpy(body->text + body->length, data, length);
	body->length += length;
}
