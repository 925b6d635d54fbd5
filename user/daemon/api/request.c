// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/api/request.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "daemon/api/body.h"
#include "daemon/api/routes.h"
#include "daemon/fiber.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"
#include "sluice/api.h"

#define CHUNK_SIZE 65536

enum state {
	STATE_READING,   /* the body comes */
	STATE_ANSWERING, /* on a fiber */
	STATE_ANSWERED,
};

struct chunk {
	char *text;
	size_t length;
};

/* Chunks of CHUNK_SIZE, the last one not full; or one chunk alone, of any size. */
struct bytes {
	struct chunk *chunks;
	size_t n;
};

struct request {
	struct api_body *body;
	struct request_call call;
	enum state state;
	bool later; /* it was not answered at once: its end is told */
	unsigned status;
	const char *type;
	char allow[sizeof(((struct api_answer *)NULL)->allow)];
	struct bytes
		*bytes; /* of the answer; NULL: there was no memory for them, or they are sent */
};

/* ---- the answer's bytes -------------------------------------------------- */

static void free_bytes(void *arg)
{
	struct bytes *bytes = arg;

	for (size_t i = 0; bytes && i < bytes->n; i++)
		free(bytes->chunks[i].text);
	if (bytes)
		free(bytes->chunks);
	free(bytes);
}

/* Takes ownership of the text, which is NULL where there was no memory for it. */
static int add_chunk(struct bytes *bytes, char *text, size_t length)
{
	struct chunk *chunks =
		text ? reallocarray(bytes->chunks, bytes->n + 1, sizeof(*chunks)) : NULL;

	if (!chunks) {
		free(text);
		return -1;
	}
	bytes->chunks = chunks;
	chunks[bytes->n++] = (struct chunk){ .text = text, .length = length };
	return 0;
}

/* A chunk that has grown would be copied, and an answer has up to 30 megabytes. */
static int append(const char *text, size_t length, void *arg)
{
	struct bytes *bytes = arg;

	yield_point();
	while (length) {
		struct chunk *last = bytes->n ? &bytes->chunks[bytes->n - 1] : NULL;
		size_t n;

		if (!last || last->length == CHUNK_SIZE) {
			if (add_chunk(bytes, malloc(CHUNK_SIZE), 0))
				return -1;
			continue;
		}
		n = length < CHUNK_SIZE - last->length ? length : CHUNK_SIZE - last->length;
		memcpy(last->text + last->length, text, n);
		last->length += n;
		text += n;
		length -= n;
	}
	return 0;
}

/* ---- life ----------------------------------------------------------------- */

struct request *request_new(const char *method, const char *path, size_t *bodies)
{
	_cleanup_(cleanup_free) struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->body = api_body_new(api_body_limit(method, path), bodies);
	return request->body ? TAKE_PTR(request) : NULL;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	api_body_free(request->body);
	free_bytes(request->bytes);
	free(request);
}

struct api_body *request_body(struct request *request)
{
	return request->body;
}

/* ---- from JSON ------------------------------------------------------------ */

/* Lets go of rows one by one: there may be 65 536. */
static void free_json(json_t *json)
{
	const char *name;
	json_t *member;

	if (json && json->refcount == 1)
		json_object_foreach(json, name,
				    member) while (json_is_array(member) && json_array_size(member))
		{
			(void)json_array_remove(member, json_array_size(member) - 1);
			yield_point();
		}
	json_decref(json);
}

static int write_answer(struct bytes *bytes, const struct api_answer *answer)
{
	if (answer->text)
		return add_chunk(bytes, answer->text, strlen(answer->text));
	if (!answer->body)
		return -1;
	return json_dump_callback(answer->body, append, bytes,
				  JSON_COMPACT | JSON_REAL_PRECISION(9))
		       ?: append("\n", 1, bytes);
}

static void set_answer(struct request *request, struct api_answer *answer)
{
	struct bytes *bytes = calloc(1, sizeof(*bytes));

	request->status = answer->status;
	memcpy(request->allow, answer->allow, sizeof(request->allow));
	request->type = answer->text ? SL_API_CONFIG_TYPE : "application/json";
	if (bytes && !write_answer(bytes, answer))
		request->bytes = TAKE_PTR(bytes);
	free_bytes(bytes);
	free_json(answer->body);
}

/* ---- answering ----------------------------------------------------------- */

static struct api_answer refused(const struct api_body *body)
{
	if (body->refused == MHD_HTTP_SERVICE_UNAVAILABLE)
		return api_refuse(body->refused, "too many large requests at once, try again");
	return api_refuse(body->refused, "the body is too long, at most %zu bytes are taken",
			  body->limit);
}

static struct api_answer answer(const struct request *request)
{
	struct MHD_Connection *connection = request->call.connection;
	const struct api_body *body = request->body;
	const struct api_call call = {
		.balancer = request->call.balancer,
		.fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			      ->connect_fd,
		.method = request->call.method,
		.path = request->call.path,
		.type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"),
		.name = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "name"),
		.lines = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "lines"),
		.body = body->text ?: "",
		.length = body->length,
	};

	return body->refused ? refused(body) : api_answer(&call);
}

static void run(void *arg)
{
	struct request *request = arg;
	const struct request_call *call = &request->call;
	const bool large = api_is_large(call->method, call->path);
	struct api_answer found;

	if (large)
		fiber_lock_take(call->large);
	found = answer(request);
	set_answer(request, &found);
	if (large)
		fiber_lock_give(call->large);
	request->state = STATE_ANSWERED;
	if (request->later)
		request->call.answered(request->call.connection, request->call.arg);
}

int request_begin(struct request *request, const struct request_call *call)
{
	int error;

	request->call = *call;
	request->state = STATE_ANSWERING;
	error = fiber_start(run, request);
	request->later = request->state != STATE_ANSWERED;
	return error;
}

bool request_is_begun(const struct request *request)
{
	return request->state != STATE_READING;
}

bool request_is_answered(const struct request *request)
{
	return request->state == STATE_ANSWERED;
}

static size_t length_of(const struct bytes *bytes)
{
	return (bytes->n - 1) * CHUNK_SIZE + bytes->chunks[bytes->n - 1].length;
}

/* A part of the bytes for libmicrohttpd, which sends no more of them in one step of the loop: while
 * the client reads, the kernel would take all that it is given.
 */
static ssize_t read_bytes(void *arg, uint64_t position, char *buffer, size_t size)
{
	const struct bytes *bytes = arg;
	size_t i = bytes->n > 1 ? position / CHUNK_SIZE : 0, at = position - i * CHUNK_SIZE;
	const struct chunk *chunk = &bytes->chunks[i];
	size_t n = chunk->length - at < size ? chunk->length - at : size;

	memcpy(buffer, chunk->text + at, n);
	return (ssize_t)n;
}

enum MHD_Result request_send(struct request *request, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!request_is_begun(request)) {
		struct api_answer early = refused(request->body);

		set_answer(request, &early);
	}
	if (!request->bytes)
		return MHD_NO;
	response = MHD_create_response_from_callback(length_of(request->bytes), CHUNK_SIZE,
						     read_bytes, request->bytes, free_bytes);
	if (!response)
		return MHD_NO;
	(void)TAKE_PTR(request->bytes); /* the response's */
	(void)MHD_add_response_header(response, "Content-Type", request->type);
	if (request->allow[0])
		(void)MHD_add_response_header(response, "Allow", request->allow);
	result = MHD_queue_response(connection, request->status, response);
	MHD_destroy_response(response);
	return result;
}
