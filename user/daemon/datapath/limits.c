// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/limits.h"

#include <errno.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "lib/base/diag.h"
#include "lib/limit/inherit.h"
#include "lib/limit/limit.h"
#include "sluice/gcra.h"

/* The burst of a rate of sl_tuning is this share of a second's packets. */
#define PACE_BURST_SHARE 10

unsigned datapath_limits(const struct datapath *datapath, const struct sl_key *key)
{
	const struct installed *installed = installed_find(&datapath->installed, key);

	return installed && installed->entry ? datapath->maps.services[installed->entry].limits : 0;
}

/* ---- generations -------------------------------------------------------------- */

/* The limit goes on from `old`, perhaps at another rate. */
static void inherit(struct datapath *datapath, const struct sl_limit *old, struct sl_limit *limit)
{
	struct blocks *blocks = &datapath->blocks;

	if (limit_inherit(old, blocks_next_id(blocks), clock_second(), limit))
		(void)blocks_take_id(blocks);
}

static int begin_anew(struct datapath *datapath, struct sl_limit *limit)
{
	limit->number = blocks_take_number(&datapath->blocks);
	if (!limit->number)
		return -ENOSPC;
	limit->id = blocks_take_id(&datapath->blocks);
	return 0;
}

/* The bucket that a limit per service begins with; `old`: the index of the limit before it. */
static struct sl_bucket first_total(const struct datapath *datapath, const struct sl_limit *limit,
				    unsigned old)
{
	struct sl_bucket total = {};

	if (!old)
		return total;
	return limit_inherit_total(&datapath->maps.limits[old], limit, &datapath->maps.totals[old],
				   sl_ticks(clock_monotonic_ns()));
}

/* ---- a service's limits -------------------------------------------------------- */

struct wanted {
	struct sl_limit limits[SL_LIMITS_MAX];
	unsigned old[SL_LIMITS_MAX]; /* index of the one that goes on; 0: is new */
	unsigned n;
};

/* Finds for each wanted limit the running one of its kind, in order. */
static void match(const struct datapath *datapath, unsigned running, struct wanted *wanted)
{
	const struct sl_limit *limits = datapath->maps.limits;
	bool taken[SL_LIMITS_MAX] = { false };
	unsigned n = running ? blocks_length(&datapath->blocks, running) : 0;

	for (unsigned i = 0; i < wanted->n; i++)
		for (unsigned j = 0; !wanted->old[i] && j < n; j++)
			if (!taken[j] &&
			    limit_same_kind(&wanted->limits[i], &limits[running + j])) {
				wanted->old[i] = running + j;
				taken[j] = true;
			}
}

static void give_numbers(struct datapath *datapath, const struct wanted *wanted)
{
	for (unsigned i = 0; i < wanted->n; i++)
		if (!wanted->old[i] && wanted->limits[i].number)
			blocks_give_number(&datapath->blocks, wanted->limits[i].number);
}

static int give_identity(struct datapath *datapath, const struct service_config *service,
			 struct wanted *wanted)
{
	int error = 0;

	for (unsigned i = 0; !error && i < wanted->n; i++) {
		struct sl_limit *limit = &wanted->limits[i];

		if (wanted->old[i])
			inherit(datapath, &datapath->maps.limits[wanted->old[i]], limit);
		else
			error = begin_anew(datapath, limit);
		if (!error)
			error = lists_write_exempt(&datapath->lists, limit->number,
						   &service->limits[i].exempt);
	}
	return error;
}

static int write_block(struct datapath *datapath, const struct wanted *wanted, unsigned *ret_first)
{
	struct sl_bucket totals[SL_LIMITS_MAX];

	for (unsigned i = 0; i < wanted->n; i++)
		totals[i] = first_total(datapath, &wanted->limits[i], wanted->old[i]);
	return blocks_write(&datapath->blocks, wanted->limits, totals, wanted->n, ret_first);
}

static bool is_running(const struct datapath *datapath, unsigned running,
		       const struct wanted *wanted)
{
	return running && blocks_length(&datapath->blocks, running) == wanted->n &&
	       !memcmp(&datapath->maps.limits[running], wanted->limits,
		       wanted->n * sizeof(wanted->limits[0]));
}

int datapath_put_limits(struct datapath *datapath, const struct service_config *service,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_first)
{
	struct wanted wanted = { .n = (unsigned)service->n_limits };
	unsigned running = 0;
	int error;

	blocks_drop_unnamed(&datapath->blocks);
	*ret_first = 0;
	if (!wanted.n)
		return 0;
	for (size_t i = 0; !running && i < n_keys; i++)
		running = datapath_limits(datapath, &keys[i]);
	for (unsigned i = 0; i < wanted.n; i++)
		wanted.limits[i] = limit_wire(&service->limits[i]);
	match(datapath, running, &wanted);
	error = give_identity(datapath, service, &wanted);
	if (!error && is_running(datapath, running, &wanted))
		*ret_first = running;
	else if (!error)
		error = write_block(datapath, &wanted, ret_first);
	if (!error)
		return 0;
	give_numbers(datapath, &wanted);
	return diag_set(diag, -error, "the maps have no room for its limits: %s", strerror(-error));
}

/* ---- for all limits ------------------------------------------------------- */

static struct sl_rate pace(unsigned per_second)
{
	__u64 interval = sl_ticks(1000000000) / per_second;
	unsigned burst = per_second / PACE_BURST_SHARE ?: 1;

	return (struct sl_rate){ .interval = interval, .depth = burst * interval };
}

void datapath_set_limiter(struct datapath *datapath, const struct limiter_config *limiter)
{
	struct sl_tuning *tuning = datapath->maps.tuning;

	tuning->inserts = pace(limiter->inserts_per_second);
	tuning->refusals = pace(limiter->refusals_per_second);
	tuning->events = pace(limiter->events_per_second);
}
