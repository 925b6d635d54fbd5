/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The routes. Invariant: a handler is called only with a body that is a JSON
 * object of the members its row names (or, for a configuration, any bytes); so
 * what is malformed never reaches the balancer.
 */
#include "daemon/api/routes.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/api/handlers/handlers.h"
#include "daemon/api/path.h"
#include "daemon/api/reply.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "sluice/api.h"

enum member_type { MEMBER_TEXT, MEMBER_NUMBER, MEMBER_SWITCH };

struct member {
	const char *name;
	enum member_type type;
	bool required;
};

enum takes {
	TAKES_NOTHING, /* a body is ignored */
	TAKES_MEMBERS, /* a JSON object of these members; no body is one without any */
	TAKES_CONFIG,
};

struct route {
	const char *method;
	const char *path;
	struct api_answer (*handle)(const struct api_ask *ask);
	enum takes takes;
	struct member members[API_MEMBERS_MAX];
};

static const struct route routes[] = {
	{ "GET", "/v1/status", api_get_status, .takes = TAKES_NOTHING },
	{ "GET", "/v1/services", api_get_services, .takes = TAKES_NOTHING },
	{ "GET", "/v1/services/{name}", api_get_service, .takes = TAKES_NOTHING },
	{ "GET", "/v1/backends", api_get_backends, .takes = TAKES_NOTHING },
	{ "GET", "/v1/backends/{service}/{name}", api_get_backend, .takes = TAKES_NOTHING },
	{ "GET", "/v1/stats", api_get_stats, .takes = TAKES_NOTHING },
	{ "GET", "/v1/config", api_get_config, .takes = TAKES_NOTHING },
	{ "POST", "/v1/backends/{service}", api_post_backend, .takes = TAKES_MEMBERS,
	  .members = { { "address", MEMBER_TEXT, true },
		       { "port", MEMBER_NUMBER, false },
		       { "name", MEMBER_TEXT, false },
		       { "weight", MEMBER_NUMBER, false },
		       { "backup", MEMBER_SWITCH, false } } },
	{ "DELETE", "/v1/backends/{service}/{name}", api_delete_backend, .takes = TAKES_MEMBERS },
	{ "POST", "/v1/backends/{service}/{name}/drain", api_post_drain, .takes = TAKES_MEMBERS,
	  .members = { { "timeout", MEMBER_TEXT, false } } },
	{ "POST", "/v1/backends/{service}/{name}/enable", api_post_enable, .takes = TAKES_MEMBERS },
	{ "POST", "/v1/backends/{service}/{name}/disable", api_post_disable,
	  .takes = TAKES_MEMBERS },
	{ "POST", "/v1/backends/{service}/{name}/weight", api_post_weight, .takes = TAKES_MEMBERS,
	  .members = { { "weight", MEMBER_NUMBER, true } } },
	{ "POST", "/v1/attach", api_post_attach, .takes = TAKES_MEMBERS,
	  .members = { { "interface", MEMBER_TEXT, true }, { "mode", MEMBER_TEXT, false } } },
	{ "POST", "/v1/detach", api_post_detach, .takes = TAKES_MEMBERS,
	  .members = { { "interface", MEMBER_TEXT, true } } },
	{ "POST", "/v1/config/save", api_post_save, .takes = TAKES_MEMBERS },
	{ "POST", "/v1/reload", api_post_reload, .takes = TAKES_MEMBERS },
	{ "POST", "/v1/check", api_post_check, .takes = TAKES_CONFIG },
	{ "GET", "/v1/limits", api_get_limits, .takes = TAKES_NOTHING },
	{ "GET", "/v1/limits/{service}", api_get_service_limits, .takes = TAKES_NOTHING },
	{ "GET", "/v1/sources", api_get_sources, .takes = TAKES_NOTHING },
	{ "GET", "/v1/sources/{address}", api_get_source, .takes = TAKES_NOTHING },
	{ "DELETE", "/v1/sources/{address}", api_delete_source, .takes = TAKES_MEMBERS },
	{ "DELETE", "/v1/sources/{address}/{service}", api_delete_source_of,
	  .takes = TAKES_MEMBERS },
	{ "GET", "/v1/denied", api_get_denied, .takes = TAKES_NOTHING },
	{ "POST", "/v1/denied", api_post_denied, .takes = TAKES_MEMBERS,
	  .members = { { "prefix", MEMBER_TEXT, true }, { "for", MEMBER_TEXT, false } } },
	{ "DELETE", "/v1/denied/{prefix}", api_delete_denied, .takes = TAKES_MEMBERS },
};
#define N_ROUTES ARRAY_SIZE(routes)

/* The route of a path, by one method or (NULL) any. */
static const struct route *find_route(const struct api_path *path, const char *method)
{
	for (size_t i = 0; i < N_ROUTES; i++)
		if (api_path_matches(path, routes[i].path) &&
		    (!method || strcmp(routes[i].method, method) == 0))
			return &routes[i];
	return NULL;
}

static const char *as_get(const char *method)
{
	return strcmp(method, "HEAD") == 0 ? "GET" : method;
}

size_t api_body_limit(const char *method, const char *path)
{
	const struct route *route;
	struct api_path parsed;

	if (api_path_parse(path, &parsed) < 0)
		return SL_API_BODY_MAX;
	route = find_route(&parsed, as_get(method));
	return route && route->takes == TAKES_CONFIG ? SL_API_CONFIG_MAX : SL_API_BODY_MAX;
}

/* A path is listed once, whatever methods it takes. */
static bool is_first(const struct route *route)
{
	for (const struct route *other = routes; other < route; other++)
		if (strcmp(other->path, route->path) == 0)
			return false;
	return true;
}

static struct api_answer no_path(const char *path)
{
	struct api_list list = {};

	for (size_t i = 0; i < N_ROUTES; i++)
		if (is_first(&routes[i]))
			api_list_add(&list, routes[i].path);
	return api_refuse(MHD_HTTP_NOT_FOUND, "there is no path %.256s; the paths are: %s", path,
			  api_list_text(&list));
}

static struct api_answer wrong_method(const struct api_path *path, const char *method)
{
	const char *pattern = find_route(path, NULL)->path;
	struct api_list list = {};
	struct api_answer refusal;

	for (size_t i = 0; i < N_ROUTES; i++) {
		if (!api_path_matches(path, routes[i].path))
			continue;
		api_list_add(&list, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			api_list_add(&list, "HEAD");
	}
	refusal = api_refuse(MHD_HTTP_METHOD_NOT_ALLOWED, "%s does not take %.32s, but %s", pattern,
			     method, api_list_text(&list));
	(void)snprintf(refusal.allow, sizeof(refusal.allow), "%s", api_list_text(&list));
	return refusal;
}

/* ---- bodies ------------------------------------------------------------ */

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

static const struct member *find_member(const struct route *route, const char *name)
{
	for (size_t i = 0; i < API_MEMBERS_MAX && route->members[i].name; i++)
		if (strcmp(route->members[i].name, name) == 0)
			return &route->members[i];
	return NULL;
}

static struct api_answer unknown_member(const struct route *route, const char *name)
{
	struct api_list list = {};

	for (size_t i = 0; i < API_MEMBERS_MAX && route->members[i].name; i++)
		api_list_add(&list, route->members[i].name);
	return api_refuse(MHD_HTTP_BAD_REQUEST,
			  "unknown member \"%.64s\"; the members of this request are: %s", name,
			  api_list_text(&list));
}

static bool has_type(const json_t *value, enum member_type type)
{
	switch (type) {
	case MEMBER_TEXT:
		return json_is_string(value);
	case MEMBER_NUMBER:
		return json_is_integer(value);
	case MEMBER_SWITCH:
		return json_is_boolean(value);
	}
	return false;
}

static const char *wanted_type(enum member_type type)
{
	switch (type) {
	case MEMBER_TEXT:
		return "a string";
	case MEMBER_NUMBER:
		return "a whole number";
	case MEMBER_SWITCH:
		return "true or false";
	}
	return "something else";
}

/* Fills ask->members from the body; status 0 when it is as the route wants it. */
static struct api_answer read_members(const struct route *route, json_t *body, struct api_ask *ask)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
	{
		const struct member *member = find_member(route, name);

		if (!member)
			return unknown_member(route, name);
		if (!has_type(value, member->type))
			return api_refuse(MHD_HTTP_BAD_REQUEST, "\"%s\" must be %s, not %s", name,
					  wanted_type(member->type), type_name(value));
		ask->members[member - route->members] = value;
	}
	for (size_t i = 0; i < API_MEMBERS_MAX && route->members[i].name; i++)
		if (route->members[i].required && !ask->members[i])
			return api_refuse(MHD_HTTP_BAD_REQUEST, "the member \"%s\" is missing",
					  route->members[i].name);
	return (struct api_answer){};
}

static struct api_answer handle(const struct route *route, struct api_ask *ask)
{
	const struct api_call *call = ask->call;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct api_answer refusal;
	json_error_t error;

	if (route->takes != TAKES_MEMBERS)
		return route->handle(ask);
	body = call->length ? json_loadb(call->body, call->length,
					 JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error)
			    : json_object();
	if (!body)
		return call->length
			       ? api_refuse(MHD_HTTP_BAD_REQUEST,
					    "the body is not JSON: line %d, column %d: %s",
					    error.line, error.column, error.text)
			       : (struct api_answer){ .status = MHD_HTTP_INTERNAL_SERVER_ERROR };
	if (!json_is_object(body))
		return api_refuse(MHD_HTTP_BAD_REQUEST, "the body must be a JSON object, not %s",
				  type_name(body));
	refusal = read_members(route, body, ask);
	return refusal.status ? refusal : route->handle(ask);
}

struct api_answer api_answer(const struct api_call *call)
{
	const char *method = as_get(call->method);
	struct api_ask ask = { .call = call, .balancer = call->balancer };
	const struct route *route;
	struct api_answer result;
	struct api_path path;
	int error;

	error = api_path_parse(call->path, &path);
	if (error == -EINVAL)
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "the path is malformed: a %% must be followed by two digits, "
				  "other than 00");
	if (error || !find_route(&path, NULL))
		return no_path(call->path);
	route = find_route(&path, method);
	if (!route)
		return wrong_method(&path, call->method);
	ask.path = &path;
	result = handle(route, &ask);
	if (!result.body && !result.text)
		return api_refuse(MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	return result;
}
