// SPDX-License-Identifier: BSD-2-Clause
/* The state of the balancer: reading it. */
#include "daemon/api/find.h"
#include "daemon/api/handlers/handlers.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "lib/config/write.h"

static struct api_answer get_status(const struct api_ask *ask)
{
	return api_reply(view_status(ask->balancer));
}

static struct api_answer get_services(const struct api_ask *ask)
{
	return api_reply(view_services(ask->balancer));
}

static struct api_answer get_backends(const struct api_ask *ask)
{
	return api_reply(view_backends(ask->balancer));
}

static struct api_answer get_stats(const struct api_ask *ask)
{
	return api_reply(view_stats(ask->balancer));
}

static struct api_answer get_service(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, "name", &refusal);

	return service ? api_reply(view_service(service)) : refusal;
}

static struct api_answer get_backend(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct backend *backend = api_find_backend(ask, &refusal);

	return backend ? api_reply(view_backend(backend)) : refusal;
}

static struct api_answer get_config(const struct api_ask *ask)
{
	struct api_answer answer = api_reply(NULL);

	(void)config_write(ask->balancer->config, &answer.text);
	return answer;
}

const struct api_route handlers_state[] = {
	{ "GET", "/v1/status", .handle = get_status },
	{ "GET", "/v1/services", .handle = get_services, .large = true },
	{ "GET", "/v1/services/{name}", .handle = get_service },
	{ "GET", "/v1/backends", .handle = get_backends, .large = true },
	{ "GET", "/v1/backends/{service}/{name}", .handle = get_backend },
	{ "GET", "/v1/stats", .handle = get_stats, .large = true },
	{ "GET", "/v1/config", .handle = get_config, .large = true },
	{},
};
