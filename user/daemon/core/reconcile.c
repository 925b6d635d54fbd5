// SPDX-License-Identifier: BSD-2-Clause
/* Makes a plan for each address of a service, from its configuration and the state of its
 * backends, and applies it to the maps. Every change comes through here.
 */
#include "daemon/core/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

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
static void note_members(struct service *service, size_t address, const struct plan *plan,
			 const struct plan_input *inputs)
{
	const struct service_config *config = service->config;
	size_t planned = 0;

	service->serving[address] = plan->n_members;
	service->panic |= plan->panic;
	for (size_t i = 0; i < config->n_backends; i++) {
		struct backend *backend = &service->backends[i];

		if (config->backends[i].ip.family != config->addresses[address].family)
			continue;
		backend->member = !inputs[i].absent && plan->backends[planned++].member;
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

static int plan_address(const struct service *service, size_t address, const struct shared *shared,
			struct plan *ret_plan)
{
	const struct service_config *config = service->config;
	int error = plan_build(config, &config->addresses[address], shared->inputs,
			       shared->responder, ret_plan);

	if (error)
		return error;
	ret_plan->limits = shared->limits;
	ret_plan->access = shared->access;
	return 0;
}

/* Leaves out the backends that the maps have no room for; how many. They come in when those have
 * made room that are gone: a service may replace more backends than there is room for beside
 * them.
 */
static size_t leave_out(const struct service *service, const struct plan *plan,
			struct plan_input *inputs)
{
	const struct datapath *datapath = service->balancer->datapath;
	unsigned room = datapath_backend_room(datapath);
	size_t planned = 0, n = 0;

	/* The responder comes first, whether it is there or not. */
	room -= room && plan->n_backends && plan->backends[plan->n_backends - 1].responder;
	for (size_t i = 0; i < service->config->n_backends; i++) {
		if (service->config->backends[i].ip.family != plan->key.family ||
		    datapath_has_backend(datapath, &plan->key, &plan->backends[planned++]))
			continue;
		inputs[i].absent = !room;
		n += inputs[i].absent;
		room -= room != 0;
	}
	return n;
}

static int apply_plan(struct service *service, size_t address, const struct shared *shared,
		      struct diag *diag)
{
	_cleanup_(plan_done) struct plan plan = {};
	struct datapath *datapath = service->balancer->datapath;
	int error = plan_address(service, address, shared, &plan);
	size_t n;

	if (error)
		return diag_no_memory(diag);
	error = datapath_apply(datapath, &plan, diag);
	if (!error)
		note_members(service, address, &plan, shared->inputs);
	/* What the walk frees soon is waited for. */
	if (error != -ENOSPC || datapath_gains_room(datapath))
		return error;
	n = leave_out(service, &plan, shared->inputs);
	return n ? (int)n : error;
}

/* A service that is applied without some of its backends is not as it should be: -ENOSPC. */
static int apply_address(struct service *service, size_t address, const struct shared *shared,
			 struct diag *diag)
{
	int left_out = apply_plan(service, address, shared, diag);
	int error = left_out;

	if (left_out > 0) {
		error = apply_plan(service, address, shared, diag);
		if (!error)
			error = diag_set(diag, ENOSPC,
					 "the maps have no room for %d of its backends now",
					 left_out);
		for (size_t i = 0; i < service->config->n_backends; i++)
			shared->inputs[i].absent = false;
	}
	return error > 0 ? -ENOSPC : error;
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
	if (error)
		return error;
	/* Each address for itself: one may find room where another finds none. */
	for (size_t i = 0; i < config->n_addresses; i++) {
		int failed = apply_address(service, i, &shared, error ? NULL : diag);

		error = error ?: failed;
	}
	return error;
}

static void service_claim(const struct service *service)
{
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	size_t n = service_keys(service, keys);

	for (size_t i = 0; i < n; i++)
		datapath_claim(service->balancer->datapath, &keys[i]);
}

/* ---- services that wait for room ------------------------------------------------- */

/* A round of balancer_retry() ends after so many failures, or nanoseconds. */
#define RETRY_FAILURES 4
#define RETRY_NS       20000000

/* Whether it is as it should be now. */
static bool bring_up_to_date(struct service *service)
{
	struct diag diag = {};

	service->error[0] = '\0';
	if (!apply_service(service, &diag))
		return true;
	(void)snprintf(service->error, sizeof(service->error), "%s", diag.text);
	return false;
}

static void report(const struct service *service)
{
	log_error("service %s is not as it should be, and is tried again: %s",
		  service->config->name, service->error);
}

static bool retry(struct service *service)
{
	if (!bring_up_to_date(service))
		return false;
	log_info("service %s is as it should be", service->config->name);
	return true;
}

size_t balancer_waiting(const struct balancer *balancer)
{
	size_t waiting = 0;

	for (size_t i = 0; i < balancer->config->n_services; i++)
		waiting += balancer->services[i].error[0] != 0;
	return waiting;
}

bool balancer_retry(struct balancer *balancer)
{
	uint64_t begun = uv_hrtime();
	size_t n = balancer->config->n_services;
	unsigned failures = 0;
	bool gained = false;

	for (size_t i = 0; i < n; i++) {
		struct service *service = &balancer->services[balancer->retried++ % n];

		if (!service->error[0])
			continue;
		if (retry(service))
			gained = true;
		else if (++failures == RETRY_FAILURES)
			return gained;
		if (uv_hrtime() - begun > RETRY_NS)
			return gained;
	}
	return false;
}

/* ---- services that are dirty ------------------------------------------------------ */

/* The next dirty one, which is dirty no more; NULL: there is none. */
static struct service *take_dirty(struct balancer *balancer)
{
	struct service *service = TAILQ_FIRST(&balancer->dirty);

	if (service) {
		TAILQ_REMOVE(&balancer->dirty, service, dirty_link);
		service->dirty = false;
	}
	return service;
}

void balancer_reconcile(struct balancer *balancer)
{
	struct service *service;

	while ((service = take_dirty(balancer))) {
		bool waited = service->error[0];

		if (!bring_up_to_date(service) && !waited)
			report(service);
	}
}

void balancer_reconcile_all(struct balancer *balancer)
{
	struct service *service;

	datapath_unclaim(balancer->datapath);
	TAILQ_INIT(&balancer->dirty);
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		service = &balancer->services[i];
		service_claim(service);
		if (service->dirty)
			TAILQ_INSERT_TAIL(&balancer->dirty, service, dirty_link);
	}
	while ((service = take_dirty(balancer)))
		(void)bring_up_to_date(service);
	datapath_remove_unclaimed(balancer->datapath);
	/* What has gone may have made the room that some of the new lacked. */
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		service = &balancer->services[i];
		if (service->error[0] && !bring_up_to_date(service))
			report(service);
	}
}
