// SPDX-License-Identifier: BSD-2-Clause
/* Makes a plan for each address of a service, from its configuration and the state of its
 * backends, and applies it to the maps. Every change comes through here.
 */
#include "daemon/core/reconcile.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/backend.h"
#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "daemon/datapath/access.h"
#include "daemon/datapath/datapath.h"
#include "daemon/datapath/limits.h"
#include "daemon/health/checks.h"
#include "daemon/log.h"
#include "daemon/nexthop/nexthops.h"
#include "daemon/responder/responder.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static enum plan_health health_now(const struct backend *backend)
{
	const struct check_result *result = check_get(backend->check);

	if (result->up)
		return PLAN_UP;
	if (backend->inherited && (!result->probed || result->last_ok))
		return PLAN_NOT_READY;
	return result->answers ? PLAN_NOT_READY : PLAN_DEAD;
}

/* Notes which backends take new connections now, for the next plan and for status. */
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

/* The parts of a plan that all addresses of a service share. */
struct shared {
	struct plan_input *inputs;
	const struct sl_hop *responder;
	unsigned limits, access; /* as a plan has them */
};

static int apply_address(struct service *service, size_t address, const struct shared *shared,
			 struct diag *diag)
{
	_cleanup_(plan_done) struct plan plan = {};
	const struct service_config *config = service->config;
	int error = plan_build(config, &config->addresses[address], shared->inputs,
			       shared->responder, &plan);

	if (error)
		return diag_no_memory(diag);
	plan.limits = shared->limits;
	plan.access = shared->access;
	error = datapath_apply(service->balancer->datapath, &plan, diag);
	if (!error)
		note_members(service, address, &plan);
	return error;
}

static void fill_inputs(const struct service *service, struct plan_input *inputs)
{
	for (size_t i = 0; i < service->config->n_backends; i++) {
		const struct backend *backend = &service->backends[i];
		const struct nexthop *hop = nexthop_watch_get(backend->hop);

		inputs[i] = (struct plan_input){
			.health = health_now(backend),
			.admin_state = backend->config->admin_state,
			/* In tenths, so that a slow start has steps to climb for any. */
			.weight = backend->config->weight * backend_weight_tenths(backend),
			.served_last = backend->served_last,
			.resolved = hop->state == NEXTHOP_RESOLVED,
			.hop = hop->wire,
		};
	}
}

/* Puts them into the maps, before any address leads there. */
static int put_shared(const struct service *service, struct shared *shared, struct diag *diag)
{
	const struct service_config *config = service->config;
	struct datapath *datapath = service->balancer->datapath;
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	size_t n = service_keys(service, keys);

	if (config_responds(config) && service->balancer->responder)
		shared->responder = responder_hop(service->balancer->responder);
	return datapath_put_access(datapath, &config->access, keys, n, diag, &shared->access)
		       ?: datapath_put_limits(datapath, config, keys, n, diag, &shared->limits);
}

static int apply_service(struct service *service, struct diag *diag)
{
	const struct service_config *config = service->config;
	_cleanup_(cleanup_free) struct plan_input *inputs =
		calloc(config->n_backends, sizeof(*inputs));
	struct shared shared = { .inputs = inputs };
	int error;

	if (!inputs)
		return diag_no_memory(diag);
	fill_inputs(service, inputs);
	error = put_shared(service, &shared, diag);
	service->panic = false;
	for (size_t i = 0; !error && i < config->n_addresses; i++)
		error = apply_address(service, i, &shared, diag);
	return error;
}

static void service_claim(const struct service *service)
{
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	size_t n = service_keys(service, keys);

	for (size_t i = 0; i < n; i++)
		datapath_claim(service->balancer->datapath, &keys[i]);
}

void balancer_reconcile(struct balancer *balancer)
{
	struct diag diag = {};
	struct service *service;

	while ((service = TAILQ_FIRST(&balancer->dirty))) {
		TAILQ_REMOVE(&balancer->dirty, service, dirty_link);
		service->dirty = false;
		service->error[0] = '\0';
		if (!apply_service(service, &diag))
			continue;
		(void)snprintf(service->error, sizeof(service->error), "%s", diag.text);
		log_error("service %s is not as it should be: %s", service->config->name,
			  diag.text);
	}
}

void balancer_reconcile_all(struct balancer *balancer)
{
	datapath_unclaim(balancer->datapath);
	TAILQ_INIT(&balancer->dirty);
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		struct service *service = &balancer->services[i];

		service_claim(service);
		if (service->dirty)
			TAILQ_INSERT_TAIL(&balancer->dirty, service, dirty_link);
	}
	balancer_reconcile(balancer);
	datapath_remove_unclaimed(balancer->datapath);
}
