// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/api/ask.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/author.h"
#include "daemon/log.h"

/* ---- the form of a body ------------------------------------------------ */

static const char *type_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

static const struct api_member *find_member(const struct api_route *route, const char *name)
{
	for (size_t i = 0; i < API_MEMBERS_MAX && route->members[i].name; i++)
		if (strcmp(route->members[i].name, name) == 0)
			return &route->members[i];
	return NULL;
}

static struct api_answer unknown_member(const struct api_route *route, const char *name)
{
	struct api_list list = {};

	for (size_t i = 0; i < API_MEMBERS_MAX && route->members[i].name; i++)
		api_list_add(&list, route->members[i].name);
	return api_refuse(MHD_HTTP_BAD_REQUEST,
			  "unknown member \"%.64s\"; the members of this request are: %s", name,
			  api_list_text(&list));
}

static bool has_type(const json_t *value, enum api_type type)
{
	switch (type) {
	case API_TEXT:
		return json_is_string(value);
	case API_NUMBER:
		return json_is_integer(value);
	case API_SWITCH:
		return json_is_boolean(value);
	}
	return false;
}

static const char *wanted_type(enum api_type type)
{
	switch (type) {
	case API_TEXT:
		return "a string";
	case API_NUMBER:
		return "a whole number";
	case API_SWITCH:
		return "true or false";
	}
	return "something else";
}

/* Status 0 when the body is as the route wants it. */
static struct api_answer check_members(const struct api_route *route, json_t *body)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
	{
		const struct api_member *member = find_member(route, name);

		if (!member)
			return unknown_member(route, name);
		if (!has_type(value, member->type))
			return api_refuse(MHD_HTTP_BAD_REQUEST, "\"%s\" must be %s, not %s", name,
					  wanted_type(member->type), type_name(value));
	}
	for (size_t i = 0; i < API_MEMBERS_MAX && route->members[i].name; i++)
		if (route->members[i].required && !json_object_get(body, route->members[i].name))
			return api_refuse(MHD_HTTP_BAD_REQUEST, "the member \"%s\" is missing",
					  route->members[i].name);
	return (struct api_answer){};
}

struct api_answer api_read_body(struct api_ask *ask)
{
	const struct api_call *call = ask->call;
	json_error_t error;

	if (ask->route->takes != API_TAKES_MEMBERS)
		return (struct api_answer){};
	ask->body = call->length ? json_loadb(call->body, call->length,
					      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error)
				 : json_object();
	if (!ask->body)
		return call->length
			       ? api_refuse(MHD_HTTP_BAD_REQUEST,
					    "the body is not JSON: line %d, column %d: %s",
					    error.line, error.column, error.text)
			       : (struct api_answer){ .status = MHD_HTTP_INTERNAL_SERVER_ERROR };
	if (!json_is_object(ask->body))
		return api_refuse(MHD_HTTP_BAD_REQUEST, "the body must be a JSON object, not %s",
				  type_name(ask->body));
	return check_members(ask->route, ask->body);
}

/* ---- for the handlers -------------------------------------------------- */

const char *api_name(const struct api_ask *ask, const char *name)
{
	const char *segment = api_path_name(ask->path, ask->route->path, name);

	assert(segment);
	return segment;
}

/* A name that the route does not have, or has of another type, is a mistake of the
 * handler's.
 */
static const json_t *get(const struct api_ask *ask, const char *name, enum api_type type)
{
	const struct api_member *member = find_member(ask->route, name);

	assert(member && member->type == type);
	return json_object_get(ask->body, name);
}

const char *api_text(const struct api_ask *ask, const char *name)
{
	return json_string_value(get(ask, name, API_TEXT));
}

bool api_switch(const struct api_ask *ask, const char *name)
{
	return json_is_true(get(ask, name, API_SWITCH));
}

bool api_number(const struct api_ask *ask, const char *name, unsigned *value,
		struct api_answer *ret_refusal)
{
	const struct api_member *member = find_member(ask->route, name);
	const json_t *json = get(ask, name, API_NUMBER);
	json_int_t given = json_integer_value(json);

	if (!json)
		return true;
	if (given < member->least || given > member->most) {
		*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"%s\" must be a number from %" JSON_INTEGER_FORMAT
					  " to %" JSON_INTEGER_FORMAT ", not %" JSON_INTEGER_FORMAT,
					  name, member->least, member->most, given);
		return false;
	}
	*value = (unsigned)given;
	return true;
}

void api_log_change(const struct api_ask *ask, const char *format, ...)
{
	struct author author = author_of_socket(ask->call->fd);
	char who[AUTHOR_TEXT_SIZE], text[768];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_info("%s: %s", author_format(&author, who), text);
}
