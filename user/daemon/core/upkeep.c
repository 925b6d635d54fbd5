// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/upkeep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/core/balancer.h"
#include "daemon/core/change.h"
#include "daemon/core/denied.h"
#include "daemon/core/kept.h"
#include "daemon/core/reconcile.h"
#include "daemon/datapath/access.h"
#include "daemon/datapath/datapath.h"
#include "daemon/datapath/sweep.h"
#include "daemon/fiber.h"
#include "daemon/log.h"
#include "lib/base/diag.h"

#define TICK_MS 1000

/* Between steps of long work the loop does everything else. */
#define PAUSE_MS 2

struct upkeep {
	struct balancer *balancer;
	uv_timer_t tick;
	uv_timer_t walk;
	uv_timer_t settle;
	struct sweep unused; /* how far it has come */
	unsigned open;       /* timers that the loop holds */
	bool changing;       /* the changes of a tick are not made yet */
	bool warned;         /* that the walk fails */
};

static void retry(struct balancer *balancer)
{
	if (!balancer_waiting(balancer))
		return;
	balancer->retrying = true;
	balancer_wake(balancer);
}

static void on_walk(uv_timer_t *timer)
{
	struct upkeep *upkeep = timer->data;
	struct balancer *balancer = upkeep->balancer;
	/* What is being written is walked later. */
	int result = balancer->applying ? 0 : datapath_walk_step(balancer->datapath);

	if (result == 0) {
		(void)uv_timer_start(timer, on_walk, PAUSE_MS, 0);
		return;
	}
	if (result < 0 && !upkeep->warned)
		log_error("cannot walk the flow table, flows that have ended stay in it: %s",
			  strerror(-result));
	upkeep->warned = result < 0;
	/* A round has made room. */
	retry(balancer);
}

static void on_settle(uv_timer_t *timer)
{
	struct upkeep *upkeep = timer->data;
	struct balancer *balancer = upkeep->balancer;

	/* What is being written settles later. */
	if (balancer->applying || datapath_settle_unused(balancer->datapath, &upkeep->unused))
		(void)uv_timer_start(timer, on_settle, PAUSE_MS, 0);
}

/* A weight that climbs: a new table at every tenth of the way. */
static void climb(struct service *service)
{
	unsigned long long now = uv_now(service->balancer->loop);
	unsigned slow_start = service->config->slow_start_ms;

	for (size_t i = 0; i < service->config->n_backends; i++) {
		struct backend *backend = &service->backends[i];
		unsigned long long elapsed = now - backend->slow_since_ms;

		if (!backend->slow_since_ms)
			continue;
		if (elapsed >= slow_start)
			backend->slow_since_ms = 0;
		if (elapsed >= slow_start || slow_start < 10 * TICK_MS ||
		    elapsed % (slow_start / 10) < TICK_MS)
			balancer_touch(service);
	}
}

static void end_drains(struct balancer *balancer)
{
	unsigned long long now = uv_now(balancer->loop);
	struct diag diag = {};

	/* At the end, what is left to end is left to the next start: the state file says when. */
	for (size_t i = 0; i < balancer->n_edits && !fibers_are_finishing(); i++) {
		const struct balancer_edit drain = balancer->edits[i];
		const struct config_change change = drain.change;

		if (!drain.deadline_ms || drain.deadline_ms > now)
			continue;
		balancer->edits[i].deadline_ms = 0;
		if (balancer_end_drain(balancer, &drain, &diag))
			log_error("the drain of %s/%s has ended, but it cannot be disabled: %s",
				  change.service, change.backend, diag.text);
		else
			log_info("the drain of %s/%s has ended: it is disabled", change.service,
				 change.backend);
		i = (size_t)-1; /* the list is another one now */
	}
}

/* On a fiber: what the clock changes is changed between the changes that were asked for. */
static void change(void *arg)
{
	struct upkeep *upkeep = arg;
	struct balancer *balancer = upkeep->balancer;

	fiber_lock_take(&balancer->changing);
	end_drains(balancer);
	balancer_denied_tick(balancer);
	kept_retry(balancer);
	fiber_lock_give(&balancer->changing);
	upkeep->changing = false;
}

static void on_tick(uv_timer_t *timer)
{
	struct upkeep *upkeep = timer->data;
	struct balancer *balancer = upkeep->balancer;

	for (size_t i = 0; i < balancer->config->n_services; i++)
		if (balancer->services[i]->config->slow_start_ms)
			climb(balancer->services[i]);
	if (!upkeep->changing) {
		upkeep->changing = true;
		if (fiber_start(change, upkeep))
			upkeep->changing = false;
	}
	if (!uv_is_active((uv_handle_t *)&upkeep->settle))
		(void)uv_timer_start(&upkeep->settle, on_settle, 0, 0);
	retry(balancer);
	if (!uv_is_active((uv_handle_t *)&upkeep->walk) && datapath_walk_needed(balancer->datapath))
		(void)uv_timer_start(&upkeep->walk, on_walk, 0, 0);
}

int upkeep_new(struct balancer *balancer, struct upkeep **ret_upkeep)
{
	struct upkeep *upkeep = calloc(1, sizeof(*upkeep));

	if (!upkeep)
		return -ENOMEM;
	upkeep->balancer = balancer;
	upkeep->open = 3;
	(void)uv_timer_init(balancer->loop, &upkeep->tick);
	(void)uv_timer_init(balancer->loop, &upkeep->walk);
	(void)uv_timer_init(balancer->loop, &upkeep->settle);
	upkeep->tick.data = upkeep->walk.data = upkeep->settle.data = upkeep;
	(void)uv_timer_start(&upkeep->tick, on_tick, TICK_MS, TICK_MS);
	*ret_upkeep = upkeep;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct upkeep *upkeep = handle->data;

	if (!--upkeep->open)
		free(upkeep);
}

void upkeep_free(struct upkeep *upkeep)
{
	if (!upkeep)
		return;
	uv_close((uv_handle_t *)&upkeep->tick, on_closed);
	uv_close((uv_handle_t *)&upkeep->walk, on_closed);
	uv_close((uv_handle_t *)&upkeep->settle, on_closed);
}
