// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/services.h"

#include <errno.h>
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
#include "lib/base/yield.h"
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

	backend->check_told = !backend->service->runs;
	if (backend->check_told)
		return;
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

	backend->hop_told = !backend->service->runs;
	if (backend->hop_told)
		return;
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

/* ---- what goes on from the service that runs ---------------------------------------- */

static void take_over(struct backend *backend, const struct backend *former)
{
	backend->member = former->member;
	backend->served_last = former->served_last;
	backend->slow_since_ms = former->slow_since_ms;
	backend->inherited = former->inherited;
}

static const struct backend *find_former(const struct service *running, const char *name)
{
	const struct backend_config *found =
		running ? config_find_backend(running->config, name) : NULL;

	return found ? &running->backends[found - running->config->backends] : NULL;
}

/* A backend that runs already goes on as it is. Of another, the maps may know how an
 * earlier daemon used it.
 */
static void inherit(struct backend *backend, const struct service *running)
{
	unsigned state;

	backend->former = find_former(running, backend->config->name);
	if (backend->former) {
		take_over(backend, backend->former);
		return;
	}
	state = state_found(backend);
	backend->member = backend->served_last = state & SL_BACKEND_NEW;
	backend->inherited = state & SL_BACKEND_SERVES;
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

/* ---- services ------------------------------------------------------------------------ */

static int start_backends(struct service *service, const struct service *running)
{
	const struct service_config *config = service->config;

	for (size_t i = 0; i < config->n_backends; i++) {
		struct backend *backend = &service->backends[i];
		int error;

		backend->service = service;
		backend->config = &config->backends[i];
		inherit(backend, running);
		error = start_backend(backend);
		if (error)
			return error;
		yield_point();
	}
	return 0;
}

static void service_free(struct service *service)
{
	for (size_t i = 0; service->backends && i < service->config->n_backends; i++) {
		if (service->backends[i].check)
			check_free(service->backends[i].check);
		if (service->backends[i].hop)
			nexthop_watch_free(service->backends[i].hop);
		yield_point();
	}
	free(service->backends);
	free(service);
}

DEFINE_CLEANUP(service_free, struct service *);

static int start_service(struct balancer *balancer, const struct service_config *config,
			 const struct service *running, struct service **ret_service)
{
	_cleanup_(service_freep) struct service *service = calloc(1, sizeof(*service));
	int error;

	if (!service)
		return -ENOMEM;
	service->balancer = balancer;
	service->config = config;
	service->dirty = true;
	service->backends = calloc(config->n_backends, sizeof(*service->backends));
	if (!service->backends)
		return -ENOMEM;
	error = start_backends(service, running);
	if (!error)
		*ret_service = TAKE_PTR(service);
	return error;
}

/* A service of which the new configuration says the same goes on as it is. */
static int find_or_start(struct balancer *balancer, const struct service_config *config,
			 struct service **ret_service)
{
	struct service *running = balancer_service(balancer, config->name);

	if (!running || !config_service_equal(running->config, config))
		return start_service(balancer, config, running, ret_service);
	*ret_service = running;
	return 0;
}

int services_new(struct balancer *balancer, const struct config *config,
		 struct service ***ret_services)
{
	struct service **services = calloc(config->n_services + 1, sizeof(struct service *));
	int error = services ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < config->n_services; i++) {
		error = find_or_start(balancer, &config->services[i], &services[i]);
		yield_point();
	}
	if (!error)
		*ret_services = services;
	else
		services_free(services, config->n_services);
	return error;
}

/* Its configuration is in another place now. */
static void move(struct service *service, const struct service_config *config)
{
	service->config = config;
	for (size_t i = 0; i < config->n_backends; i++)
		service->backends[i].config = &config->backends[i];
}

/* Since it was made, the service that it replaces has gone on. */
static void begin(struct service *service, const struct service *running)
{
	for (size_t i = 0; i < service->config->n_backends; i++) {
		struct backend *backend = &service->backends[i];

		if (backend->former)
			take_over(backend, backend->former);
		backend->former = NULL;
	}
	if (running)
		inherit_serving(service, running);
}

struct service **services_replace(struct balancer *balancer, struct config *config,
				  struct service **services)
{
	struct service **old = balancer->services;
	size_t n_old = old ? balancer->config->n_services : 0;

	for (size_t i = 0; i < config->n_services; i++) {
		const struct service_config *named = &config->services[i];

		if (services[i]->runs)
			move(services[i], named);
		else
			begin(services[i], balancer_service(balancer, named->name));
	}
	for (size_t i = 0; i < n_old; i++)
		old[i]->runs = false;
	for (size_t i = 0; i < config->n_services; i++)
		services[i]->runs = true;
	balancer->services = services;
	balancer->config = config;
	return old;
}

static void take_news(struct backend *backend)
{
	if (backend->check_told)
		on_check(backend);
	if (backend->hop_told)
		on_hop(backend);
}

void services_take_news(struct balancer *balancer)
{
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		const struct service *service = balancer->services[i];

		for (size_t j = 0; j < service->config->n_backends; j++)
			take_news(&service->backends[j]);
	}
}

void services_end(struct balancer *balancer)
{
	size_t n = balancer->services ? balancer->config->n_services : 0;

	for (size_t i = 0; i < n; i++)
		balancer->services[i]->runs = false;
	services_free(TAKE_PTR(balancer->services), n);
}

void services_free(struct service **services, size_t n)
{
	for (size_t i = 0; services && i < n; i++)
		if (services[i] && !services[i]->runs)
			service_free(services[i]);
	free(services);
}
