// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath.h"
#include "daemon/log.h"
#include "lib/cleanup.h"
#include "lib/diag.h"
#include "lib/plan.h"

static void on_check(void *arg)
{
	struct backend *backend = arg;
	const struct check_result *result = check_get(backend->check);

	log_info("backend %s/%s is %s: %s", backend->service->config->name, backend->config->name,
		 result->up ? "up" : "down", result->text);
	server_touch(backend->service);
}

static void on_hop(void *arg)
{
	struct backend *backend = arg;
	const struct hop *hop = hop_watch_get(backend->hop);
	char text[256];

	hop_explain(hop, &backend->config->ip, text, sizeof(text));
	if (hop->state == HOP_RESOLVED)
		log_info("backend %s/%s: %s", backend->service->config->name,
			 backend->config->name, text);
	else
		log_warning("backend %s/%s cannot be reached: %s", backend->service->config->name,
			    backend->config->name, text);
	server_touch(backend->service);
}

/* What a predecessor left in the maps: a backend that had connections sent to
 * it goes on as up, so that a restart cuts nobody off.
 */
static bool was_serving(const struct backend *backend)
{
	const struct service_config *config = backend->service->config;
	struct sl_key backend_key = plan_backend_key(config, backend->config);

	for (size_t i = 0; i < config->n_addresses; i++) {
		struct sl_key key = plan_service_key(config, &config->addresses[i]);

		if (datapath_serves(backend->service->server->datapath, &key, &backend_key))
			return true;
	}
	return false;
}

static int start_backend(struct backend *backend)
{
	struct server *server = backend->service->server;
	const struct backend_config *config = backend->config;
	int error = hop_watch_new(server->hops, &config->ip, on_hop, backend, &backend->hop);

	if (error)
		return error;
	return check_new(server->checks, &backend->service->config->check, &config->ip,
			 config->port, was_serving(backend), on_check, backend, &backend->check);
}

static int start_service(struct service *service)
{
	const struct service_config *config = service->config;

	service->backends = calloc(config->n_backends, sizeof(*service->backends));
	if (!service->backends)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_backends; i++) {
		struct backend *backend = &service->backends[i];
		int error;

		backend->service = service;
		backend->config = &config->backends[i];
		error = start_backend(backend);
		if (error)
			return error;
	}
	return 0;
}

int services_new(struct server *server, const struct config *config, struct service **ret_services)
{
	struct service *services = calloc(config->n_services + 1, sizeof(*services));

	if (!services)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_services; i++) {
		int error;

		services[i].server = server;
		services[i].config = &config->services[i];
		services[i].dirty = true;
		error = start_service(&services[i]);
		if (error) {
			services_free(services, config);
			return error;
		}
	}
	*ret_services = services;
	return 0;
}

void services_free(struct service *services, const struct config *config)
{
	if (!services)
		return;
	for (size_t i = 0; i < config->n_services; i++) {
		struct service *service = &services[i];

		for (size_t j = 0; service->backends && j < config->services[i].n_backends; j++) {
			if (service->backends[j].check)
				check_free(service->backends[j].check);
			if (service->backends[j].hop)
				hop_watch_free(service->backends[j].hop);
		}
		free(service->backends);
	}
	free(services);
}

bool backend_serves(const struct backend *backend)
{
	return check_get(backend->check)->up &&
	       hop_watch_get(backend->hop)->state == HOP_RESOLVED && backend->config->weight;
}

const char *backend_explain(const struct backend *backend, char *buffer, size_t size)
{
	const struct check_result *result = check_get(backend->check);
	const struct hop *hop = hop_watch_get(backend->hop);

	buffer[0] = '\0';
	if (hop->state != HOP_RESOLVED)
		return hop_explain(hop, &backend->config->ip, buffer, size);
	if (!result->up)
		(void)snprintf(buffer, size, "down: %s%s",
			       result->probed ? result->text : "not checked yet",
			       result->last_ok ? ", but not often enough in a row yet" : "");
	else if (!backend->config->weight)
		(void)snprintf(buffer, size, "weight 0");
	return buffer;
}

static int apply_address(struct service *service, size_t address,
			 const struct plan_input *inputs, struct diag *diag)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	const struct service_config *config = service->config;
	int error = plan_build(config, &config->addresses[address], inputs, &plan);

	if (error)
		return diag_set(diag, -error, "no memory");
	error = datapath_apply(service->server->datapath, &plan, diag);
	if (!error)
		service->serving[address] = plan.n_serving;
	return error;
}

static int apply_service(struct service *service, struct diag *diag)
{
	const struct service_config *config = service->config;
	_cleanup_(cleanup_free) struct plan_input *inputs =
		calloc(config->n_backends, sizeof(*inputs));
	int error = 0;

	if (!inputs)
		return diag_set(diag, ENOMEM, "no memory");
	for (size_t i = 0; i < config->n_backends; i++) {
		const struct hop *hop = hop_watch_get(service->backends[i].hop);

		inputs[i] = (struct plan_input){
			.up = check_get(service->backends[i].check)->up,
			.resolved = hop->state == HOP_RESOLVED,
			.hop = hop->wire,
		};
	}
	for (size_t i = 0; !error && i < config->n_addresses; i++)
		error = apply_address(service, i, inputs, diag);
	return error;
}

void server_reconcile(struct server *server)
{
	struct diag diag = { 0 };

	for (size_t i = 0; i < server->config->n_services; i++) {
		struct service *service = &server->services[i];

		if (!service->dirty)
			continue;
		service->dirty = false;
		service->error[0] = '\0';
		if (!apply_service(service, &diag))
			continue;
		(void)snprintf(service->error, sizeof(service->error), "%s", diag.text);
		log_error("service %s is not as it should be: %s", service->config->name,
			  diag.text);
	}
}
