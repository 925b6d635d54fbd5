/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Invariant: a handler is called only with a body that is a JSON object of the members
 * its row names (or, for a configuration, any bytes); so nothing that is malformed
 * reaches the balancer.
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
#include "daemon/core/balancer.h"
#include "daemon/fiber.h"
#include "lib/base/array.h"
#include "sluice/api.h"

#define TABLE(name) handlers_##name,
static const struct api_route *const tables[] = { HANDLERS(TABLE) };
#undef TABLE

struct walk {
	size_t table, row;
};

/* The next of all routes, from the first one of an empty walk; NULL: there are no more. */
static const struct api_route *next(struct walk *walk)
{
	for (; walk->table < ARRAY_SIZE(tables); walk->table++, walk->row = 0) {
		const struct api_route *route = &tables[walk->table][walk->row];

		if (route->method) {
			walk->row++;
			return route;
		}
	}
	return NULL;
}

/* The route of a path, by one method or (NULL) any. */
static const struct api_route *find_route(const struct api_path *path, const char *method)
{
	const struct api_route *route;
	struct walk walk = {};

	while ((route = next(&walk)))
		if (api_path_matches(path, route->path) &&
		    (!method || strcmp(route->method, method) == 0))
			return route;
	return NULL;
}

static const char *as_get(const char *method)
{
	return strcmp(method, "HEAD") == 0 ? "GET" : method;
}

/* NULL: there is none, or the path is malformed. */
static const struct api_route *route_of(const char *method, const char *path)
{
	struct api_path parsed;

	return api_path_parse(path, &parsed) < 0 ? NULL : find_route(&parsed, as_get(method));
}

bool api_is_large(const char *method, const char *path)
{
	const struct api_route *route = route_of(method, path);

	return route && route->large;
}

size_t api_body_limit(const char *method, const char *path)
{
	const struct api_route *route = route_of(method, path);

	return route && route->takes == API_TAKES_CONFIG ? SL_API_CONFIG_MAX : SL_API_BODY_MAX;
}

/* A path is listed once, also where it takes several methods. */
static bool is_first(const struct api_route *route)
{
	const struct api_route *other;
	struct walk walk = {};

	while ((other = next(&walk)) && strcmp(other->path, route->path) != 0)
		;
	return other == route;
}

static struct api_answer no_path(const char *path)
{
	const struct api_route *route;
	struct api_list list = {};
	struct walk walk = {};

	while ((route = next(&walk)))
		if (is_first(route))
			api_list_add(&list, route->path);
	return api_refuse(MHD_HTTP_NOT_FOUND, "there is no path %.256s; the paths are: %s", path,
			  api_list_text(&list));
}

static struct api_answer wrong_method(const struct api_path *path, const char *method)
{
	const char *pattern = find_route(path, NULL)->path;
	const struct api_route *route;
	struct api_answer refusal;
	struct api_list list = {};
	struct walk walk = {};

	while ((route = next(&walk))) {
		if (!api_path_matches(path, route->path))
			continue;
		api_list_add(&list, route->method);
		if (strcmp(route->method, "GET") == 0)
			api_list_add(&list, "HEAD");
	}
	refusal = api_refuse(MHD_HTTP_METHOD_NOT_ALLOWED, "%s does not take %.32s, but %s", pattern,
			     method, api_list_text(&list));
	(void)snprintf(refusal.allow, sizeof(refusal.allow), "%s", api_list_text(&list));
	return refusal;
}

/* What waited until the end is not begun any more: it may be the last of many. */
static struct api_answer handle_unless_stopping(const struct api_ask *ask)
{
	if (fibers_are_finishing())
		return api_refuse(MHD_HTTP_SERVICE_UNAVAILABLE, "sluiced is stopping");
	return ask->route->handle(ask);
}

static struct api_answer handle_locked(const struct api_ask *ask)
{
	struct balancer *balancer = ask->balancer;
	struct api_answer answer;

	if (ask->route->unlocked)
		return handle_unless_stopping(ask);
	if (strcmp(ask->route->method, "GET") == 0) {
		fiber_lock_share(&balancer->reading);
		answer = handle_unless_stopping(ask);
		fiber_lock_unshare(&balancer->reading);
	} else {
		fiber_lock_take(&balancer->changing);
		answer = handle_unless_stopping(ask);
		fiber_lock_give(&balancer->changing);
	}
	return answer;
}

static struct api_answer handle(const struct api_call *call, const struct api_path *path,
				const struct api_route *route)
{
	struct api_ask ask = {
		.call = call,
		.route = route,
		.balancer = call->balancer,
		.path = path,
	};
	struct api_answer answer = api_read_body(&ask);

	if (!answer.status)
		answer = handle_locked(&ask);
	json_decref(ask.body);
	return answer;
}

struct api_answer api_answer(const struct api_call *call)
{
	const char *method = as_get(call->method);
	const struct api_route *route;
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
	result = handle(call, &path, route);
	if (!result.body && !result.text)
		return api_refuse(MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	return result;
}
