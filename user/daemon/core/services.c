// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/services.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/core/service.h"
#include "daemon/datapath/datapath.h"
#include "daemon/health/checks.h"
#include "daemon/log.h"
#include "daemon/nexthop/nexthops.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/config/compare.h"

/* Whether others serve while this one starts slowly; alone it gets all connections. */
static bool others_serve(const struct backend *backend)
{
	const struct service *service = backend->service;

	for (size_t i = 0; i < service->config->n_backends; i++)
		if (&service->backends[i] != backend && service->backends[i].member)
			return true;
	return false;
}

static void on_check(void *arg)
{
	struct backend *backend = arg;
	const struct check_result *result = check_get(backend->check);

	log_info("backend %s/%s is %s: %s", backend->service->config->name, backend->config->name,
		 result->up ? "up" : "down", result->text);
	if (!result->up)
		backend->slow_since_ms = 0;
	else if (backend->service->config->slow_start_ms && others_serve(backend))
		backend->slow_since_ms = uv_now(backend->service->balancer->loop);
	balancer_touch(backend->service);
}

static void on_hop(void *arg)
{
	struct backend *backend = arg;
	const struct nexthop *hop = nexthop_watch_get(backend->hop);
	char text[256];

	nexthop_explain(hop, &backend->config->ip, text, sizeof(text));
	if (hop->state == NEXTHOP_RESOLVED)
		log_info("backend %s/%s: %s", backend->service->config->name, backend->config->name,
			 text);
	else
		log_warning("backend %s/%s cannot be reached: %s", backend->service->config->name,
			    backend->config->name, text);
	balancer_touch(backend->service);
}

/* The state of a backend that an earlier daemon left in the maps, as SL_BACKEND_*. A backend
 * that took new connections goes on as up, one whose connections went on keeps them until
 * a check says otherwise: a restart cuts no connection.
 */
static unsigned state_found(const struct backend *backend)
{
	struct sl_key backend_key = plan_backend_key(backend->service->config, backend->config);
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	size_t n = service_keys(backend->service, keys);
	unsigned state = 0;

	for (size_t i = 0; i < n; i++)
		state |= datapath_backend_state(backend->service->balancer->datapath, &keys[i],
						&backend_key);
	return state;
}

static int start_backend(struct backend *backend)
{
	struct balancer *balancer = backend->service->balancer;
	const struct backend_config *config = backend->config;
	const struct check_request request = {
		.config = &backend->service->config->check,
		.ip = config->ip,
		.port = config->port,
		.up = backend->served_last,
		.changed = on_check,
		.arg = backend,
	};
	int error =
		nexthop_watch_new(balancer->nexthops, &config->ip, on_hop, backend, &backend->hop);

	if (error)
		return error;
	return check_new(balancer->checks, &request, &backend->check);
}

static int compare_name(const void *name, const void *backend)
{
	return strcmp(name, ((const struct backend *)backend)->config->name);
}

/* A backend that runs already goes on as it is. Of another, the maps may know how an
 * earlier daemon used it.
 */
static void inherit(struct backend *backend, const struct service *running)
{
	const struct backend *old = NULL;
	size_t n = running ? running->config->n_backends : 0;

	if (running)
		old = lfind(backend->config->name, running->backends, &n, sizeof(*old),
			    compare_name);
	if (!old) {
		unsigned state = state_found(backend);

		backend->member = backend->served_last = state & SL_BACKEND_NEW;
		backend->inherited = state & SL_BACKEND_SERVES;
		return;
	}
	backend->member = old->member;
	backend->served_last = old->served_last;
	backend->slow_since_ms = old->slow_since_ms;
	backend->inherited = old->inherited;
}

/* Until it is applied, each address serves as it did. */
static void inherit_serving(struct service *service, const struct service *running)
{
	const struct service_config *config = service->config;

	service->panic = running->panic;
	for (size_t i = 0; i < config->n_addresses; i++)
		for (size_t j = 0; j < running->config->n_addresses; j++)
			if (config->port == running->config->port &&
			    config->proto == running->config->proto &&
			    ip_equal(&config->addresses[i], &running->config->addresses[j]))
				service->serving[i] = running->serving[j];
}

static int start_service(struct service *service)
{
	const struct service_config *config = service->config;
	const struct service *running = balancer_service(service->balancer, config->name);

	service->backends = calloc(config->n_backends, sizeof(*service->backends));
	if (!service->backends)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_backends; i++) {
		struct backend *backend = &service->backends[i];
		int error;

		backend->service = service;
		backend->config = &config->backends[i];
		inherit(backend, running);
		error = start_backend(backend);
		if (error)
			return error;
	}
	service->dirty = !running || running->dirty || running->error[0] ||
			 !config_service_equal(running->config, config);
	if (running)
		inherit_serving(service, running);
	return 0;
}

int services_new(struct balancer *balancer, const struct config *config,
		 struct service **ret_services)
{
	struct service *services = calloc(config->n_services + 1, sizeof(*services));

	if (!services)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_services; i++) {
		int error;

		services[i].balancer = balancer;
		services[i].config = &config->services[i];
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
				nexthop_watch_free(service->backends[j].hop);
		}
		free(service->backends);
	}
	free(services);
}
