// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/services.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/datapath.h"
#include "daemon/datapath_limits.h"
#include "daemon/log.h"
#include "daemon/responder.h"
#include "lib/cleanup.h"
#include "lib/config_compare.h"
#include "lib/diag.h"
#include "lib/plan.h"

/* Whether others serve while this one starts slowly; alone it gets all there is. */
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
		backend->slow_since_ms = uv_now(backend->service->server->loop);
	server_touch(backend->service);
}

static void on_hop(void *arg)
{
	struct backend *backend = arg;
	const struct hop *hop = hop_watch_get(backend->hop);
	char text[256];

	hop_explain(hop, &backend->config->ip, text, sizeof(text));
	if (hop->state == HOP_RESOLVED)
		log_info("backend %s/%s: %s", backend->service->config->name, backend->config->name,
			 text);
	else
		log_warning("backend %s/%s cannot be reached: %s", backend->service->config->name,
			    backend->config->name, text);
	server_touch(backend->service);
}

/* What a predecessor left in the maps: a backend that took new connections goes on
 * as up, one whose connections went on keeps them until a check says otherwise,
 * so that a restart cuts nobody off.
 */
static unsigned state_found(const struct backend *backend)
{
	const struct service_config *config = backend->service->config;
	struct sl_key backend_key = plan_backend_key(config, backend->config);
	unsigned state = 0;

	for (size_t i = 0; i < config->n_addresses; i++) {
		struct sl_key key = plan_service_key(config, &config->addresses[i]);

		state |= datapath_backend_state(backend->service->server->datapath, &key,
						&backend_key);
	}
	return state;
}

static int start_backend(struct backend *backend)
{
	struct server *server = backend->service->server;
	const struct backend_config *config = backend->config;
	int error = hop_watch_new(server->hops, &config->ip, on_hop, backend, &backend->hop);

	if (error)
		return error;
	return check_new(server->checks, &backend->service->config->check, &config->ip,
			 config->port, backend->served_last, on_check, backend, &backend->check);
}

static int compare_name(const void *name, const void *backend)
{
	return strcmp(name, ((const struct backend *)backend)->config->name);
}

/* The service of this name that runs now, or NULL. */
static const struct service *running_service(const struct server *server, const char *name)
{
	const struct service_config *config =
		server->services ? config_find_service(server->config, name) : NULL;

	return config ? &server->services[config - server->config->services] : NULL;
}

/* A backend that runs already goes on as it is; of others, the maps know what a
 * predecessor did with them.
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

static int start_service(struct service *service)
{
	const struct service_config *config = service->config;
	const struct service *running = running_service(service->server, config->name);

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
	if (!service->dirty) {
		memcpy(service->serving, running->serving, sizeof(service->serving));
		service->panic = running->panic;
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
	return backend->member;
}

unsigned backend_weight_tenths(const struct backend *backend)
{
	unsigned long long slow_start = backend->service->config->slow_start_ms, elapsed;

	if (!backend->slow_since_ms || !slow_start)
		return 10;
	elapsed = uv_now(backend->service->server->loop) - backend->slow_since_ms;
	return elapsed < slow_start ? 1 + (unsigned)(9 * elapsed / slow_start) : 10;
}

static enum plan_health health_now(const struct backend *backend)
{
	const struct check_result *result = check_get(backend->check);

	if (result->up)
		return PLAN_UP;
	if (backend->inherited && (!result->probed || result->last_ok))
		return PLAN_NOT_READY;
	return result->answers ? PLAN_NOT_READY : PLAN_DEAD;
}

const char *backend_explain(const struct backend *backend, char *buffer, size_t size)
{
	const struct check_result *result = check_get(backend->check);
	const struct hop *hop = hop_watch_get(backend->hop);

	buffer[0] = '\0';
	if (backend->config->wish != WISH_UP)
		(void)snprintf(buffer, size, "%s by the operator",
			       backend->config->wish == WISH_DRAIN ? "drained" : "disabled");
	else if (hop->state != HOP_RESOLVED)
		(void)hop_explain(hop, &backend->config->ip, buffer, size);
	else if (!result->up)
		(void)snprintf(buffer, size, "down: %s%s%s",
			       result->probed ? result->text : "not checked yet",
			       result->last_ok ? ", but not often enough in a row yet" : "",
			       backend->member ? "; serves all the same, too few others do" : "");
	else if (!backend->config->weight)
		(void)snprintf(buffer, size, "weight 0");
	else if (!backend->member)
		(void)snprintf(buffer, size, "%s",
			       backend->config->backup ? "backup: others serve"
						       : "not in the maps yet");
	return buffer;
}

/* Who takes new connections now, for the next plan and for status. */
static void note_members(struct service *service, size_t address, const struct plan *plan)
{
	const struct service_config *config = service->config;
	size_t planned = 0;

	service->serving[address] = plan->n_members;
	service->panic |= plan->panic;
	for (size_t i = 0; i < config->n_backends; i++) {
		struct backend *backend = &service->backends[i];

		if (config->backends[i].ip.family != config->addresses[address].family)
			continue;
		backend->member = plan->backends[planned++].member;
		if (plan->n_members)
			backend->served_last = backend->member;
	}
}

/* What all addresses of a service share. */
struct shared {
	struct plan_input *inputs;
	const struct sl_hop *responder;
	unsigned limits, access; /* as a plan has them */
};

static int apply_address(struct service *service, size_t address, const struct shared *shared,
			 struct diag *diag)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	const struct service_config *config = service->config;
	int error = plan_build(config, &config->addresses[address], shared->inputs,
			       shared->responder, &plan);

	if (error)
		return diag_set(diag, -error, "no memory");
	plan.limits = shared->limits;
	plan.access = shared->access;
	error = datapath_apply(service->server->datapath, &plan, diag);
	if (!error)
		note_members(service, address, &plan);
	return error;
}

static void fill_inputs(const struct service *service, struct plan_input *inputs)
{
	for (size_t i = 0; i < service->config->n_backends; i++) {
		const struct backend *backend = &service->backends[i];
		const struct hop *hop = hop_watch_get(backend->hop);

		inputs[i] = (struct plan_input){
			.health = health_now(backend),
			.wish = backend->config->wish,
			/* In tenths, so that a slow start has steps to climb for any. */
			.weight = backend->config->weight * backend_weight_tenths(backend),
			.served_last = backend->served_last,
			.resolved = hop->state == HOP_RESOLVED,
			.hop = hop->wire,
		};
	}
}

/* Before any address leads there. */
static int put_shared(const struct service *service, struct shared *shared, struct diag *diag)
{
	const struct service_config *config = service->config;
	struct datapath *datapath = service->server->datapath;
	struct sl_key keys[CONFIG_ADDRESSES_MAX];

	for (size_t i = 0; i < config->n_addresses; i++)
		keys[i] = plan_service_key(config, &config->addresses[i]);
	if (config_responds(config) && service->server->responder)
		shared->responder = responder_hop(service->server->responder);
	return datapath_put_access(datapath, &config->access, keys, config->n_addresses, diag,
				   &shared->access)
		       ?: datapath_put_limits(datapath, config, keys, config->n_addresses, diag,
					      &shared->limits);
}

static int apply_service(struct service *service, struct diag *diag)
{
	const struct service_config *config = service->config;
	_cleanup_(cleanup_free) struct plan_input *inputs =
		calloc(config->n_backends, sizeof(*inputs));
	struct shared shared = { .inputs = inputs };
	int error;

	if (!inputs)
		return diag_set(diag, ENOMEM, "no memory");
	fill_inputs(service, inputs);
	error = put_shared(service, &shared, diag);
	service->panic = false;
	for (size_t i = 0; !error && i < config->n_addresses; i++)
		error = apply_address(service, i, &shared, diag);
	return error;
}

static void service_claim(const struct service *service)
{
	for (size_t i = 0; i < service->config->n_addresses; i++) {
		struct sl_key key =
			plan_service_key(service->config, &service->config->addresses[i]);

		datapath_claim(service->server->datapath, &key);
	}
}

unsigned backend_live(const struct backend *backend)
{
	const struct service_config *config = backend->service->config;
	struct sl_key backend_key = plan_backend_key(config, backend->config);
	unsigned live = 0;

	for (size_t i = 0; i < config->n_addresses; i++) {
		struct sl_key key = plan_service_key(config, &config->addresses[i]);

		live += datapath_backend_live(backend->service->server->datapath, &key,
					      &backend_key);
	}
	return live;
}

void server_reconcile(struct server *server)
{
	struct diag diag = { 0 };
	struct service *service;

	while ((service = TAILQ_FIRST(&server->dirty))) {
		TAILQ_REMOVE(&server->dirty, service, dirty_link);
		service->dirty = false;
		service->error[0] = '\0';
		if (!apply_service(service, &diag))
			continue;
		(void)snprintf(service->error, sizeof(service->error), "%s", diag.text);
		log_error("service %s is not as it should be: %s", service->config->name,
			  diag.text);
	}
}

void server_reconcile_all(struct server *server)
{
	datapath_unclaim(server->datapath);
	TAILQ_INIT(&server->dirty);
	for (size_t i = 0; i < server->config->n_services; i++) {
		struct service *service = &server->services[i];

		service_claim(service);
		if (service->dirty)
			TAILQ_INSERT_TAIL(&server->dirty, service, dirty_link);
	}
	server_reconcile(server);
	datapath_remove_unclaimed(server->datapath);
}
