// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/copy.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/prefix_list.h"

/* *ret_copy is NULL for a text that is none. */
static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int own_backends(struct service_config *service, const struct service_config *from)
{
	int error = 0;

	service->backends = calloc(from->n_backends, sizeof(*service->backends));
	if (!service->backends)
		return -ENOMEM;
	service->n_backends = from->n_backends;
	for (size_t i = 0; i < from->n_backends && !error; i++) {
		service->backends[i] = from->backends[i];
		error = copy_text(from->backends[i].name, &service->backends[i].name);
	}
	/* Those that were not reached hold NULL from calloc(). */
	return error;
}

static int own_limits(struct service_config *service, const struct service_config *from)
{
	int error = 0;

	for (size_t i = 0; i < from->n_limits && !error; i++) {
		struct limit_config *limit = &service->limits[service->n_limits++];

		*limit = from->limits[i];
		limit->text = NULL;
		error = prefix_list_copy(&from->limits[i].exempt, &limit->exempt);
		if (!error)
			error = copy_text(from->limits[i].text, &limit->text);
	}
	return error;
}

/* What it owns is the copy's own, or NULL: config_free() can take it half made. */
static int copy_service(struct service_config *service, const struct service_config *from)
{
	int error;

	*service = *from;
	service->name = NULL;
	service->check.path = NULL;
	service->check.host = NULL;
	service->backends = NULL;
	service->n_backends = 0;
	service->n_limits = 0;
	service->access = (struct access_config){};
	service->respond.body = NULL;
	service->respond.content_type = NULL;
	error = copy_text(from->name, &service->name);
	if (!error)
		error = copy_text(from->check.path, &service->check.path);
	if (!error)
		error = copy_text(from->check.host, &service->check.host);
	if (!error)
		error = copy_text(from->respond.body, &service->respond.body);
	if (!error)
		error = copy_text(from->respond.content_type, &service->respond.content_type);
	if (!error)
		error = access_copy(&from->access, &service->access);
	if (!error)
		error = own_limits(service, from);
	return error ? error : own_backends(service, from);
}

static int copy_services(struct config *config, const struct config *from)
{
	int error = 0;

	if (!from->n_services)
		return 0;
	config->services = calloc(from->n_services, sizeof(*config->services));
	if (!config->services)
		return -ENOMEM;
	config->n_services = from->n_services;
	for (size_t i = 0; i < from->n_services && !error; i++)
		error = copy_service(&config->services[i], &from->services[i]);
	return error;
}

static int copy_interfaces(struct config *config, const struct config *from)
{
	int error = 0;

	if (!from->n_interfaces)
		return 0;
	config->interfaces = calloc(from->n_interfaces, sizeof(*config->interfaces));
	if (!config->interfaces)
		return -ENOMEM;
	config->n_interfaces = from->n_interfaces;
	for (size_t i = 0; i < from->n_interfaces && !error; i++) {
		config->interfaces[i].mode = from->interfaces[i].mode;
		error = copy_text(from->interfaces[i].name, &config->interfaces[i].name);
	}
	return error;
}

int config_copy(const struct config *from, struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	int error;

	if (!config)
		return -ENOMEM;
	config->hash_seed = from->hash_seed;
	config->flows = from->flows;
	config->limiter = from->limiter;
	config->ipip = from->ipip;
	error = access_copy(&from->access, &config->access);
	if (!error)
		error = copy_interfaces(config, from);
	if (!error)
		error = copy_services(config, from);
	if (error)
		return error;
	*ret_config = TAKE_PTR(config);
	return 0;
}
