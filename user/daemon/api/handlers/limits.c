/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits and limited sources: looking at them, and forgetting what a source has
 * sent.
 */
#include <string.h>

#include "daemon/api/find.h"
#include "daemon/api/reply.h"
#include "daemon/api/view/limits.h"
#include "daemon/api/view/parts.h"
#include "daemon/core/balancer.h"
#include "daemon/datapath/sources.h"
#include "daemon/limits/running.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/limit/limit.h"

struct api_answer api_get_limits(const struct api_ask *ask)
{
	return api_reply(view_limits(ask->balancer));
}

struct api_answer api_get_service_limits(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, &refusal);
	size_t lines;

	if (!service || !api_find_lines(ask, &lines, &refusal))
		return refusal;
	return api_reply(view_service_limits(service, lines));
}

struct api_answer api_get_sources(const struct api_ask *ask)
{
	struct api_answer refusal;
	size_t lines;

	if (!api_find_lines(ask, &lines, &refusal))
		return refusal;
	return api_reply(view_sources(ask->balancer, lines));
}

struct api_answer api_get_source(const struct api_ask *ask)
{
	struct api_answer refusal;
	struct ip ip;

	if (!api_find_address(ask, &ip, &refusal))
		return refusal;
	return api_reply(view_source(ask->balancer, &ip));
}

/* ---- forgetting -------------------------------------------------------- */

/* The bucket of an address, and what the one of the generation before would hand
 * on; of NULL, which is all sources, that of a limit per service.
 */
static bool forget(const struct view_limit *limit, const struct ip *ip)
{
	struct datapath *datapath = limit->service->balancer->datapath;
	struct sl_source key;
	bool forgotten;

	if (limit->config->per_service != !ip)
		return false;
	if (!ip)
		return datapath_forget_total(datapath, limit->index) == 0;
	key = limit_source(limit->wire, &ip->addr, ip->family);
	forgotten = datapath_forget_source(datapath, &key) == 0;
	key.id = limit->wire->replaced;
	if (key.id)
		forgotten |= datapath_forget_source(datapath, &key) == 0;
	return forgotten;
}

/* Of all services (NULL) or one. */
static struct api_answer forget_all(const struct api_ask *ask, const struct service *service)
{
	_cleanup_(view_limit_table_done) struct view_limit_table table = {};
	bool all = strcmp(ask->path->segments[2], VIEW_ALL_SOURCES) == 0;
	struct api_answer refusal;
	char text[ADDR_TEXT_SIZE];
	size_t forgotten = 0;
	struct ip ip;

	if (!all && !api_find_address(ask, &ip, &refusal))
		return refusal;
	if (view_limit_table_make(ask->balancer, &table) < 0)
		return api_reply(NULL);
	for (size_t i = 0; i < table.n; i++) {
		const struct view_limit *limit = &table.limits[i];

		if (limit->wire && (!service || limit->service == service))
			forgotten += forget(limit, all ? NULL : &ip);
	}
	if (forgotten)
		log_info("%zu bucket%s of %s forgotten by the operator", forgotten,
			 forgotten == 1 ? "" : "s", all ? "all sources" : ip_format(&ip, text));
	return api_reply(json_pack("{s:o, s:I}", "address",
				   all ? json_string(VIEW_ALL_SOURCES) : view_ip(&ip), "forgotten",
				   (json_int_t)forgotten));
}

struct api_answer api_delete_source(const struct api_ask *ask)
{
	return forget_all(ask, NULL);
}

struct api_answer api_delete_source_of(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct service *service = api_find_service_at(ask, 3, &refusal);

	return service ? forget_all(ask, service) : refusal;
}
