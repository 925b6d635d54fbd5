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
#include "daemon/fiber.h"
#include "daemon/health/checks.h"
#include "daemon/log.h"
#include "daemon/nexthop/nexthops.h"
#include "daemon/responder/responder.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/yield.h"

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

/* Applies the address as `config` says, which is the service's own but for its shape. */
static int attempt(struct service *service, size_t address, const struct service_config *config,
		   const struct shared *shared, struct diag *diag)
{
	_cleanup_(plan_done) struct plan plan = {};
	int error = plan_build(config, &config->addresses[address], shared->inputs,
			       shared->responder, &plan);

	if (error)
		return diag_no_memory(diag);
	plan.limits = shared->limits;
	plan.access = shared->access;
	error = datapath_apply(service->balancer->datapath, &plan, diag);
	if (!error)
		note_members(service, address, &plan, shared->inputs);
	return error;
}

/* Leaves out the backends that the maps have no room for; whether there are any. They come in
 * when those have made room that are gone: a service may replace more backends than there is
 * room for beside them.
 */
static bool leave_out(const struct service *service, size_t address, const struct shared *shared)
{
	const struct service_config *config = service->config;
	const struct datapath *datapath = service->balancer->datapath;
	struct sl_key key = plan_service_key(config, &config->addresses[address]);
	unsigned room = datapath_backend_room(datapath);
	bool some = false;

	/* The responder comes first, whether it is there or not. */
	room -= room && shared->responder;
	for (size_t i = 0; i < config->n_backends; i++) {
		struct sl_key backend = plan_backend_key(config, &config->backends[i]);

		if (backend.family != key.family ||
		    datapath_has_backend(datapath, &key, &backend, config->forward))
			continue;
		shared->inputs[i].absent = !room;
		some |= !room;
		room -= room != 0;
	}
	return some;
}

/* Where the maps have no room for all of it at this moment, as much as there is room for: in the
 * shape that the address has, without some of the backends, or both. So health is followed
 * while the service waits. -ENOSPC, and diag says what there was no room for.
 */
static int apply_address(struct service *service, size_t address, const struct shared *shared,
			 struct diag *diag)
{
	const struct datapath *datapath = service->balancer->datapath;
	struct service_config before = *service->config;
	struct sl_key key = plan_service_key(&before, &before.addresses[address]);
	bool reshaped = datapath_shape(datapath, &key, &before.scheduler, &before.table_size) &&
			(before.scheduler != service->config->scheduler ||
			 before.table_size != service->config->table_size);
	int error = attempt(service, address, service->config, shared, diag);

	if (error != -ENOSPC || (reshaped && !attempt(service, address, &before, shared, NULL)))
		return error;
	/* What the walk frees soon is waited for. */
	if (datapath_gains_room(datapath) || !leave_out(service, address, shared))
		return error;
	if (attempt(service, address, service->config, shared, NULL) && reshaped)
		(void)attempt(service, address, &before, shared, NULL);
	for (size_t i = 0; i < before.n_backends; i++)
		shared->inputs[i].absent = false;
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
			.origins = hop->origins,
		};
		yield_point();
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

/* Whether it is as it should be now. */
static bool bring_up_to_date(struct service *service)
{
	struct balancer *balancer = service->balancer;
	struct diag diag = {};
	int error;

	balancer->applying = true;
	error = apply_service(service, &diag);
	balancer->applying = false;
	(void)snprintf(service->error, sizeof(service->error), "%s", error ? diag.text : "");
	return !error;
}

static void report(const struct service *service)
{
	log_error("service %s is not as it should be, and is tried again: %s",
		  service->config->name, service->error);
}

/* ---- services that wait for room ------------------------------------------------- */

/* Failures after which a round of retrying ends. */
#define RETRY_FAILURES 4

size_t balancer_waiting(const struct balancer *balancer)
{
	size_t waiting = 0;

	for (size_t i = 0; i < balancer->config->n_services; i++)
		waiting += balancer->services[i]->error[0] != 0;
	return waiting;
}

/* Tries some of these once more, each in its turn. */
static void retry(struct balancer *balancer)
{
	size_t n = balancer->config->n_services;
	unsigned failures = 0;

	balancer->retrying = false;
	for (size_t i = 0; i < n && failures < RETRY_FAILURES; i++) {
		struct service *service = balancer->services[balancer->retried++ % n];

		yield_point();
		if (!service->error[0])
			continue;
		if (bring_up_to_date(service))
			log_info("service %s is as it should be", service->config->name);
		else
			failures++;
	}
}

/* ---- the reconciler -------------------------------------------------------------- */

/* The first of one list, or where that is empty, of the other. Which comes first, changes. */
static struct service *first_dirty(struct balancer *balancer)
{
	struct service *claimed = TAILQ_FIRST(&balancer->claimed);
	struct service *touched = TAILQ_FIRST(&balancer->touched);

	balancer->claimed_next = !balancer->claimed_next;
	return balancer->claimed_next ? claimed ?: touched : touched ?: claimed;
}

/* The next dirty one, which is dirty no more; NULL: there is none. */
static struct service *take_dirty(struct balancer *balancer)
{
	struct service *service = first_dirty(balancer);

	if (service) {
		TAILQ_REMOVE(service->claimed ? &balancer->claimed : &balancer->touched, service,
			     dirty_link);
		service->dirty = false;
	}
	return service;
}

static void reconcile(struct service *service)
{
	bool waited = service->error[0];

	/* Where something goes it may yet find room. */
	if (!bring_up_to_date(service) && !waited && !service->balancer->purging)
		report(service);
}

/* What has gone may have made the room that some of the new lacked. */
static void purge(struct balancer *balancer)
{
	balancer->applying = true;
	datapath_remove_unclaimed(balancer->datapath);
	balancer->applying = false;
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		struct service *service = balancer->services[i];

		if (service->error[0] && !bring_up_to_date(service))
			report(service);
		yield_point();
	}
	balancer->purging = false;
	if (balancer->purger)
		fiber_wake(balancer->purger);
}

/* Does the next piece of work; false: there is none. */
static bool work(struct balancer *balancer)
{
	bool purges = balancer->purging && TAILQ_EMPTY(&balancer->claimed);
	struct service *service = purges ? NULL : take_dirty(balancer);

	if (purges)
		purge(balancer);
	else if (service)
		reconcile(service);
	else if (balancer->retrying)
		retry(balancer);
	else
		return false;
	return true;
}

static void run(void *arg)
{
	struct balancer *balancer = arg;

	balancer->reconciler = fiber_self();
	while (!balancer->stopping) {
		bool busy;

		fiber_lock_share(&balancer->reading);
		busy = work(balancer);
		fiber_lock_unshare(&balancer->reading);
		if (busy)
			yield_point();
		else
			fiber_sleep();
	}
	balancer->reconciler = NULL;
}

int balancer_reconcile_start(struct balancer *balancer)
{
	while (work(balancer))
		;
	return fiber_start(run, balancer);
}

void balancer_claim_services(struct balancer *balancer)
{
	datapath_unclaim(balancer->datapath);
	TAILQ_INIT(&balancer->claimed);
	TAILQ_INIT(&balancer->touched);
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		struct service *service = balancer->services[i];

		service_claim(service);
		service->claimed = service->dirty;
		if (service->dirty)
			TAILQ_INSERT_TAIL(&balancer->claimed, service, dirty_link);
	}
	balancer->purging = true;
	balancer_wake(balancer);
}

void balancer_await_services(struct balancer *balancer)
{
	balancer->purger = fiber_self();
	while (balancer->purging)
		fiber_sleep();
	balancer->purger = NULL;
}
