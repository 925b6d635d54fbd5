/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits and limited sources: reading them, and forgetting the buckets of a source.
 */
#include <string.h>

#include "daemon/api/find.h"
#include "daemon/api/handlers/handlers.h"
#include "daemon/api/view/limits.h"
#include "daemon/api/view/parts.h"
#include "daemon/core/balancer.h"
#include "daemon/core/sources.h"
#include "lib/base/addr.h"

static struct api_answer get_limits(const struct api_ask *ask)
{
	return api_reply(view_limits(ask->balancer));
}

static struct api_answer get_service_limits(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, "service", &refusal);
	size_t lines;

	if (!service || !api_find_lines(ask, &lines, &refusal))
		return refusal;
	return api_reply(view_service_limits(service, lines));
}

static struct api_answer get_sources(const struct api_ask *ask)
{
	struct api_answer refusal;
	size_t lines;

	if (!api_find_lines(ask, &lines, &refusal))
		return refusal;
	return api_reply(view_sources(ask->balancer, lines));
}

static struct api_answer get_source(const struct api_ask *ask)
{
	struct api_answer refusal;
	struct ip ip;

	if (!api_find_address(ask, &ip, &refusal))
		return refusal;
	return api_reply(view_source(ask->balancer, &ip));
}

/* ---- forgetting -------------------------------------------------------- */

/* Of all services (NULL) or one. */
static struct api_answer forget(const struct api_ask *ask, const struct service *service)
{
	bool all = strcmp(api_name(ask, "address"), VIEW_ALL_SOURCES) == 0;
	struct api_answer refusal;
	char text[ADDR_TEXT_SIZE];
	size_t forgotten;
	struct ip ip;

	if (!all && !api_find_address(ask, &ip, &refusal))
		return refusal;
	forgotten = balancer_forget(ask->balancer, service, all ? NULL : &ip);
	if (forgotten)
		api_log_change(
			ask, "%zu bucket%s of %s forgotten by the operator%s%s", forgotten,
			forgotten == 1 ? "" : "s", all ? "all sources" : ip_format(&ip, text),
			service ? ", for service " : "", service ? service->config->name : "");
	return api_reply(json_pack("{s:o, s:I}", "address",
				   all ? json_string(VIEW_ALL_SOURCES) : view_ip(&ip), "forgotten",
				   (json_int_t)forgotten));
}

static struct api_answer delete_source(const struct api_ask *ask)
{
	return forget(ask, NULL);
}

static struct api_answer delete_source_of(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, "service", &refusal);

	return service ? forget(ask, service) : refusal;
}

const struct api_route handlers_limits[] = {
	{ "GET", "/v1/limits", .handle = get_limits, .large = true },
	{ "GET", "/v1/limits/{service}", .handle = get_service_limits, .large = true },
	{ "GET", "/v1/sources", .handle = get_sources, .large = true },
	{ "GET", "/v1/sources/{address}", .handle = get_source },
	{ "DELETE", "/v1/sources/{address}", delete_source, .takes = API_TAKES_MEMBERS },
	{ "DELETE", "/v1/sources/{address}/{service}", delete_source_of,
	  .takes = API_TAKES_MEMBERS },
	{},
};
