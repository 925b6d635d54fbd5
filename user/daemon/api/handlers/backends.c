/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Changes of backends at run time. Invariant: a request is judged before the balancer is
 * asked, so that nothing changes unless the answer is 200.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>

#include "daemon/api/find.h"
#include "daemon/api/handlers/handlers.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/change.h"
#include "daemon/core/edits.h"
#include "lib/base/diag.h"
#include "lib/base/units.h"
#include "sluice/api.h"

/* Makes the change and shows the backend as it is then. It is looked for again: the
 * balancer may have made its services anew.
 */
static struct api_answer edit(const struct api_ask *ask, const struct config_change *change,
			      unsigned timeout_ms)
{
	const char *timeout = timeout_ms ? api_text(ask, "timeout") : NULL;
	const struct service *service;
	char text[EDIT_TEXT_SIZE];
	struct api_answer refusal;
	struct diag diag = {};
	const struct edit_request request = {
		.change = change,
		.timeout_ms = timeout_ms,
		.author = author_of_socket(ask->call->fd),
	};
	int error = balancer_edit(ask->balancer, &request, &diag);

	if (error == -ENOENT)
		return api_refuse_diag(MHD_HTTP_NOT_FOUND, &diag);
	if (error)
		return api_refuse_config(error, &diag);
	api_log_change(ask, "%s%s%s", edits_describe(change, text), timeout ? ", for " : "",
		       timeout ?: "");
	if (change->kind == CHANGE_REMOVE)
		return api_reply(json_pack("{s:s, s:s}", "service", change->service, "removed",
					   change->backend));
	service = api_find_service(ask, "service", &refusal);
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

static struct api_answer post_enable(const struct api_ask *ask)
{
	return edit_existing(
		ask, (struct config_change){ .kind = CHANGE_ADMIN_STATE, .admin_state = ADMIN_UP },
		0);
}

static struct api_answer post_disable(const struct api_ask *ask)
{
	return edit_existing(
		ask,
		(struct config_change){ .kind = CHANGE_ADMIN_STATE, .admin_state = ADMIN_DISABLED },
		0);
}

static struct api_answer post_drain(const struct api_ask *ask)
{
	const char *timeout = api_text(ask, "timeout");
	unsigned long long ms = 0;

	if (timeout && (duration_parse(timeout, &ms) < 0 || ms < SL_API_TIME_LEAST_MS ||
			ms > SL_API_TIME_MOST_MS))
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"timeout\" must be a duration from 1s to 720h, such as 30s, 5m "
				  "or 2h, not \"%.64s\"",
				  timeout);
	return edit_existing(
		ask,
		(struct config_change){ .kind = CHANGE_ADMIN_STATE, .admin_state = ADMIN_DRAIN },
		(unsigned)ms);
}

static struct api_answer post_weight(const struct api_ask *ask)
{
	struct config_change change = { .kind = CHANGE_WEIGHT };
	struct api_answer refusal;

	if (!api_number(ask, "weight", &change.weight, &refusal))
		return refusal;
	return edit_existing(ask, change, 0);
}

static struct api_answer delete_backend(const struct api_ask *ask)
{
	return edit_existing(ask, (struct config_change){ .kind = CHANGE_REMOVE }, 0);
}

/* ---- a new one --------------------------------------------------------- */

static bool take_name(const struct api_ask *ask, struct config_change *change,
		      struct api_answer *ret_refusal)
{
	const char *name = api_text(ask, "name");

	if (name && (!*name || strlen(name) > CONFIG_NAME_MAX)) {
		*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"name\" must have 1 to %d characters, not %zu",
					  CONFIG_NAME_MAX, strlen(name));
		return false;
	}
	(void)snprintf(change->backend, sizeof(change->backend), "%s", name ?: "");
	return true;
}

static struct api_answer post_backend(const struct api_ask *ask)
{
	struct config_change change = { .kind = CHANGE_ADD, .weight = 1, .admin_state = ADMIN_UP };
	const char *address = api_text(ask, "address");
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, "service", &refusal);
	char endpoint[ENDPOINT_TEXT_SIZE];
	unsigned port = 0;

	if (!service)
		return refusal;
	if (ip_parse(address, &change.ip) < 0)
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"address\" must be an IPv4 or IPv6 address, not \"%.64s\"",
				  address);
	if (!api_number(ask, "port", &port, &refusal) ||
	    !api_number(ask, "weight", &change.weight, &refusal) ||
	    !take_name(ask, &change, &refusal))
		return refusal;
	/* Named in full, so that later changes of the same backend are known as such. */
	change.port = port ? htons((__u16)port) : service->config->port;
	if (!change.backend[0])
		(void)snprintf(change.backend, sizeof(change.backend), "%s",
			       endpoint_format(&change.ip, change.port, endpoint));
	change.backup = api_switch(ask, "backup");
	(void)snprintf(change.service, sizeof(change.service), "%s", service->config->name);
	return edit(ask, &change, 0);
}

const struct api_route handlers_backends[] = {
	{ "POST", "/v1/backends/{service}", post_backend, .takes = API_TAKES_MEMBERS,
	  .members = { { "address", .type = API_TEXT, .required = true },
		       { "port", .type = API_NUMBER, .least = 1, .most = 65535 },
		       { "name", .type = API_TEXT },
		       { "weight", .type = API_NUMBER, .most = CONFIG_WEIGHT_MAX },
		       { "backup", .type = API_SWITCH } } },
	{ "DELETE", "/v1/backends/{service}/{name}", delete_backend, .takes = API_TAKES_MEMBERS },
	{ "POST", "/v1/backends/{service}/{name}/drain", post_drain, .takes = API_TAKES_MEMBERS,
	  .members = { { "timeout", .type = API_TEXT } } },
	{ "POST", "/v1/backends/{service}/{name}/enable", post_enable, .takes = API_TAKES_MEMBERS },
	{ "POST", "/v1/backends/{service}/{name}/disable", post_disable,
	  .takes = API_TAKES_MEMBERS },
	{ "POST", "/v1/backends/{service}/{name}/weight", post_weight, .takes = API_TAKES_MEMBERS,
	  .members = { { "weight", .type = API_NUMBER, .required = true,
			 .most = CONFIG_WEIGHT_MAX } } },
	{},
};
