// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/api/find.h"

#include <microhttpd.h>
#include <string.h>

#include "daemon/api/reply.h"
#include "daemon/api/view/limits.h"
#include "daemon/core/balancer.h"
#include "lib/base/units.h"
#include "lib/config/config.h"

static struct api_answer no_service(const struct api_ask *ask, const char *name)
{
	struct api_list list = {};

	for (size_t i = 0; i < ask->balancer->config->n_services; i++)
		api_list_add(&list, ask->balancer->services[i]->config->name);
	return api_refuse(MHD_HTTP_NOT_FOUND, "there is no service \"%s\"; the services are: %s",
			  name, api_list_text(&list));
}

const struct service *api_find_service(const struct api_ask *ask, const char *name,
				       struct api_answer *ret_refusal)
{
	const char *given = api_name(ask, name);
	const struct service *service = balancer_service(ask->balancer, given);

	if (!service)
		*ret_refusal = no_service(ask, given);
	return service;
}

bool api_find_address(const struct api_ask *ask, struct ip *ret_ip, struct api_answer *ret_refusal)
{
	const char *text = api_name(ask, "address");
	struct prefix prefix;

	if (ip_parse(text, ret_ip) == 0)
		return true;
	if (prefix_parse(text, &prefix) == 0) {
		*ret_ip = prefix.ip;
		return true;
	}
	*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
				  "a source is an IPv4 or IPv6 address, or a prefix as the list "
				  "of sources has it, not \"%.64s\"",
				  text);
	return false;
}

bool api_find_lines(const struct api_ask *ask, size_t *ret_lines, struct api_answer *ret_refusal)
{
	const char *text = ask->call->lines;
	unsigned long long lines = VIEW_ROWS_MAX;

	if (text && (number_parse(text, &lines) < 0 || !lines || lines > VIEW_ROWS_MAX)) {
		*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"lines\" must be a number from 1 to %d, not \"%.64s\"",
					  VIEW_ROWS_MAX, text);
		return false;
	}
	*ret_lines = (size_t)lines;
	return true;
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
	const struct service *service = api_find_service(ask, "service", ret_refusal);
	const char *name = api_name(ask, "name");
	const struct backend *backend = service ? api_backend_named(service, name) : NULL;

	if (service && !backend)
		*ret_refusal = no_backend(service, name);
	return backend;
}
