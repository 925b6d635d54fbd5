/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Changes of backends at run time. Invariant: what a request says is judged
 * before the balancer is asked, so that nothing changes unless the answer is 200.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>

#include "daemon/api/find.h"
#include "daemon/api/reply.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/reload.h"
#include "lib/base/diag.h"
#include "lib/base/units.h"

#define DRAIN_LEAST_MS 1000ULL
#define DRAIN_MOST_MS  (720 * 3600 * 1000ULL)

/* Does it, and shows the backend as it is then: the balancer may have made anew
 * what it was found in.
 */
static struct api_answer edit(const struct api_ask *ask, const struct config_change *change,
			      unsigned timeout_ms)
{
	struct api_answer refusal;
	const struct service *service;
	struct diag diag = {};
	int error = balancer_edit(ask->balancer, change, timeout_ms, &diag);

	if (error == -ENOENT)
		return api_refuse_diag(MHD_HTTP_NOT_FOUND, &diag);
	if (error)
		return api_refuse_config(error, &diag);
	if (change->kind == CHANGE_REMOVE)
		return api_reply(json_pack("{s:s, s:s}", "service", change->service, "removed",
					   change->backend));
	service = api_find_service(ask, &refusal);
	return service ? api_reply(view_backend(api_backend_named(service, change->backend)))
		       : refusal;
}

/* The same of a backend that there is; its name and its service's are filled in. */
static struct api_answer edit_existing(const struct api_ask *ask, struct config_change change,
				       unsigned timeout_ms)
{
	struct api_answer refusal;
	const struct backend *backend = api_find_backend(ask, &refusal);

	if (!backend)
		return refusal;
	(void)snprintf(change.service, sizeof(change.service), "%s",
		       backend->service->config->name);
	(void)snprintf(change.backend, sizeof(change.backend), "%s", backend->config->name);
	return edit(ask, &change, timeout_ms);
}

struct api_answer api_post_enable(const struct api_ask *ask)
{
	return edit_existing(
		ask, (struct config_change){ .kind = CHANGE_ADMIN_STATE, .admin_state = ADMIN_UP },
		0);
}

struct api_answer api_post_disable(const struct api_ask *ask)
{
	return edit_existing(
		ask,
		(struct config_change){ .kind = CHANGE_ADMIN_STATE, .admin_state = ADMIN_DISABLED },
		0);
}

struct api_answer api_post_drain(const struct api_ask *ask)
{
	const char *timeout = json_string_value(ask->members[0]);
	unsigned long long ms = 0;

	if (timeout &&
	    (duration_parse(timeout, &ms) < 0 || ms < DRAIN_LEAST_MS || ms > DRAIN_MOST_MS))
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"timeout\" must be a duration from 1s to 720h, such as 30s, 5m "
				  "or 2h, not \"%.64s\"",
				  timeout);
	return edit_existing(
		ask,
		(struct config_change){ .kind = CHANGE_ADMIN_STATE, .admin_state = ADMIN_DRAIN },
		(unsigned)ms);
}

/* A member within bounds, or `otherwise` where it is not given. False: *ret_refusal. */
static bool take_number(const json_t *member, const char *name, const json_int_t bounds[static 2],
			unsigned *value, struct api_answer *ret_refusal)
{
	json_int_t given = member ? json_integer_value(member) : (json_int_t)*value;

	if (member && (given < bounds[0] || given > bounds[1])) {
		*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"%s\" must be a number from %" JSON_INTEGER_FORMAT
					  " to %" JSON_INTEGER_FORMAT ", not %" JSON_INTEGER_FORMAT,
					  name, bounds[0], bounds[1], given);
		return false;
	}
	*value = (unsigned)given;
	return true;
}

static const json_int_t port_bounds[] = { 1, 65535 };
static const json_int_t weight_bounds[] = { 0, CONFIG_WEIGHT_MAX };

struct api_answer api_post_weight(const struct api_ask *ask)
{
	struct config_change change = { .kind = CHANGE_WEIGHT };
	struct api_answer refusal;

	if (!take_number(ask->members[0], "weight", weight_bounds, &change.weight, &refusal))
		return refusal;
	return edit_existing(ask, change, 0);
}

struct api_answer api_delete_backend(const struct api_ask *ask)
{
	return edit_existing(ask, (struct config_change){ .kind = CHANGE_REMOVE }, 0);
}

/* ---- a new one --------------------------------------------------------- */

enum { ADD_ADDRESS, ADD_PORT, ADD_NAME, ADD_WEIGHT, ADD_BACKUP }; /* as the route has them */

static bool take_name(const json_t *member, struct config_change *change,
		      struct api_answer *ret_refusal)
{
	const char *name = json_string_value(member);

	if (name && (!*name || strlen(name) > CONFIG_NAME_MAX)) {
		*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"name\" must have 1 to %d characters, not %zu",
					  CONFIG_NAME_MAX, strlen(name));
		return false;
	}
	(void)snprintf(change->backend, sizeof(change->backend), "%s", name ?: "");
	return true;
}

struct api_answer api_post_backend(const struct api_ask *ask)
{
	struct config_change change = { .kind = CHANGE_ADD, .weight = 1, .admin_state = ADMIN_UP };
	const char *address = json_string_value(ask->members[ADD_ADDRESS]);
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, &refusal);
	char endpoint[ENDPOINT_TEXT_SIZE];
	unsigned port = 0;

	if (!service)
		return refusal;
	if (ip_parse(address, &change.ip) < 0)
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"address\" must be an IPv4 or IPv6 address, not \"%.64s\"",
				  address);
	if (!take_number(ask->members[ADD_PORT], "port", port_bounds, &port, &refusal) ||
	    !take_number(ask->members[ADD_WEIGHT], "weight", weight_bounds, &change.weight,
			 &refusal) ||
	    !take_name(ask->members[ADD_NAME], &change, &refusal))
		return refusal;
	/* Named in full, so that later changes of the same backend are known as such. */
	change.port = port ? htons((__u16)port) : service->config->port;
	if (!change.backend[0])
		(void)snprintf(change.backend, sizeof(change.backend), "%s",
			       endpoint_format(&change.ip, change.port, endpoint));
	change.backup = json_is_true(ask->members[ADD_BACKUP]);
	(void)snprintf(change.service, sizeof(change.service), "%s", service->config->name);
	return edit(ask, &change, 0);
}
