/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the path of a request names. Only reads.
 */
#include "daemon/api_find.h"

#include <microhttpd.h>
#include <string.h>

#include "daemon/api_reply.h"
#include "daemon/server.h"

static struct api_answer no_service(const struct api_ask *ask)
{
	struct api_list list = {};

	for (size_t i = 0; i < ask->server->config->n_services; i++)
		api_list_add(&list, ask->server->services[i].config->name);
	return api_refuse(MHD_HTTP_NOT_FOUND, "there is no service \"%s\"; the services are: %s",
			  ask->path->segments[2], api_list_text(&list));
}

const struct service *api_find_service(const struct api_ask *ask, struct api_answer *ret_refusal)
{
	const struct server *server = ask->server;
	const struct service_config *config =
		config_find_service(server->config, ask->path->segments[2]);

	if (config)
		return &server->services[config - server->config->services];
	*ret_refusal = no_service(ask);
	return NULL;
}

const struct backend *api_backend_named(const struct service *service, const char *name)
{
	for (size_t i = 0; i < service->config->n_backends; i++)
		if (strcmp(service->backends[i].config->name, name) == 0)
			return &service->backends[i];
	return NULL;
}

static struct api_answer no_backend(const struct service *service, const char *name)
{
	struct api_list list = {};

	for (size_t i = 0; i < service->config->n_backends; i++)
		api_list_add(&list, service->backends[i].config->name);
	return api_refuse(MHD_HTTP_NOT_FOUND,
			  "service %s has no backend \"%s\"; its backends are: %s",
			  service->config->name, name, api_list_text(&list));
}

const struct backend *api_find_backend(const struct api_ask *ask, struct api_answer *ret_refusal)
{
	const struct service *service = api_find_service(ask, ret_refusal);
	const char *name = ask->path->segments[3];
	const struct backend *backend = service ? api_backend_named(service, name) : NULL;

	if (service && !backend)
		*ret_refusal = no_backend(service, name);
	return backend;
}
