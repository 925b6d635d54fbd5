// SPDX-License-Identifier: BSD-2-Clause
/* A service's limits are a block of sl_limits, which every entry of the service
 * names. A block is never written again once it is named: a changed limit is a new
 * block. What goes on through all generations of a limit is its number, under which
 * its counters stand, its exempt prefixes, and its sources' places in the gate; what
 * a source owes is found under the generation's id.
 */
#include "daemon/datapath/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/limit/inherit.h"
#include "lib/limit/limit.h"
#include "sluice/gcra.h"

/* What a rate of sl_tuning may do at once: so much of a second's. */
#define PACE_BURST_SHARE 10

struct block {
	unsigned users; /* entries that name it */
	unsigned n;     /* limits; 0: no block begins here */
};

struct limits_state {
	struct extents *blocks; /* of sl_limits */
	struct idpool *numbers;
	struct block *block;    /* by first index */
	unsigned *number_users; /* blocks that have the number */
	unsigned last_id;
	unsigned unnamed; /* a block that nobody has named yet; 0: none */
};

static unsigned capacity(const struct datapath *datapath)
{
	return datapath->maps.map[MAP_LIMITS].entries;
}

/* Generations that are gone have left their ids in the maps' memory; a bucket may
 * still bear one.
 */
static unsigned highest_id(const struct datapath *datapath)
{
	unsigned highest = 0;

	for (unsigned i = 0; i < capacity(datapath); i++)
		if (datapath->maps.limits[i].id > highest)
			highest = datapath->maps.limits[i].id;
	return highest;
}

int limits_init(struct datapath *datapath)
{
	unsigned size = capacity(datapath), first;
	struct limits_state *state = calloc(1, sizeof(*state));

	datapath->limits = state;
	if (!state || extents_new(size, &state->blocks) ||
	    idpool_new(datapath->maps.map[MAP_LIMIT_STAT].entries, &state->numbers))
		return -ENOMEM;
	grace_watch_ranges(datapath, state->blocks);
	grace_watch_pool(datapath, state->numbers);
	state->block = calloc(size, sizeof(*state->block));
	state->number_users =
		calloc(datapath->maps.map[MAP_LIMIT_STAT].entries, sizeof(*state->number_users));
	state->last_id = highest_id(datapath);
	/* Index 0 means none. */
	return state->block && state->number_users ? extents_take(state->blocks, 1, &first)
						   : -ENOMEM;
}

void limits_free(struct datapath *datapath)
{
	struct limits_state *state = datapath->limits;

	if (!state)
		return;
	extents_free(state->blocks);
	idpool_free(state->numbers);
	free(state->block);
	free(state->number_users);
	free(state);
}

/* ---- who names a block ------------------------------------------------------ */

static void drop_number(struct datapath *datapath, unsigned number)
{
	static const struct prefix_list none;

	if (--datapath->limits->number_users[number])
		return;
	(void)access_put_exempt(datapath, number, &none);
	idpool_retire(datapath->limits->numbers, number);
}

static void retire_block(struct datapath *datapath, unsigned first)
{
	struct block *block = &datapath->limits->block[first];

	for (unsigned i = 0; i < block->n; i++)
		drop_number(datapath, datapath->maps.limits[first + i].number);
	block->n = 0;
	extents_retire(datapath->limits->blocks, first);
}

void limits_use(struct datapath *datapath, const struct sl_service *entry)
{
	struct limits_state *state = datapath->limits;

	if (!entry->limits)
		return;
	state->block[entry->limits].users++;
	if (state->unnamed == entry->limits)
		state->unnamed = 0;
}

void limits_release(struct datapath *datapath, const struct sl_service *entry)
{
	if (entry->limits && !--datapath->limits->block[entry->limits].users)
		retire_block(datapath, entry->limits);
}

static int learn_number(struct datapath *datapath, unsigned number)
{
	struct limits_state *state = datapath->limits;

	if (!number || number >= datapath->maps.map[MAP_LIMIT_STAT].entries)
		return -EPROTO;
	if (!state->number_users[number]++ && idpool_claim(state->numbers, number))
		return -EPROTO;
	return 0;
}

int limits_learn(struct datapath *datapath, const struct sl_service *entry)
{
	struct limits_state *state = datapath->limits;
	struct block *block;
	int error = 0;

	if (!entry->limits)
		return 0;
	if (entry->n_limits > SL_LIMITS_MAX || entry->limits >= capacity(datapath))
		return -EPROTO;
	block = &state->block[entry->limits];
	if (!block->n) {
		if (extents_claim(state->blocks, entry->limits, entry->n_limits))
			return -EPROTO;
		block->n = entry->n_limits;
		for (unsigned i = 0; !error && i < block->n; i++)
			error = learn_number(datapath,
					     datapath->maps.limits[entry->limits + i].number);
	}
	block->users++;
	return error;
}

unsigned datapath_limits(const struct datapath *datapath, const struct sl_key *key)
{
	const struct installed *installed = installed_find(datapath, key);

	return installed && installed->entry ? datapath->maps.services[installed->entry].limits : 0;
}

/* ---- generations -------------------------------------------------------------- */

/* The limit goes on from `old`, at another pace perhaps. */
static void inherit(struct datapath *datapath, const struct sl_limit *old, struct sl_limit *limit)
{
	struct limits_state *state = datapath->limits;

	if (limit_inherit(old, state->last_id + 1, datapath_now(), limit))
		state->last_id++;
}

static int begin(struct datapath *datapath, struct sl_limit *limit)
{
	limit->number = take_index(datapath, datapath->limits->numbers);
	if (!limit->number)
		return -ENOSPC;
	stats_reset(datapath, MAP_LIMIT_STAT, limit->number);
	limit->id = ++datapath->limits->last_id;
	return 0;
}

/* What a limit per service begins with. */
static struct sl_bucket first_total(const struct datapath *datapath, const struct sl_limit *limit,
				    unsigned old)
{
	struct sl_bucket total = {};
	struct timespec now;

	if (!old)
		return total;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return limit_inherit_total(&datapath->maps.limits[old], limit, &datapath->maps.totals[old],
				   sl_ticks((__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec));
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
	unsigned n = running ? datapath->limits->block[running].n : 0;

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
			idpool_give(datapath->limits->numbers, wanted->limits[i].number);
}

static int number(struct datapath *datapath, const struct service_config *service,
		  struct wanted *wanted)
{
	int error = 0;

	for (unsigned i = 0; !error && i < wanted->n; i++) {
		struct sl_limit *limit = &wanted->limits[i];

		if (wanted->old[i])
			inherit(datapath, &datapath->maps.limits[wanted->old[i]], limit);
		else
			error = begin(datapath, limit);
		if (!error)
			error = access_put_exempt(datapath, limit->number,
						  &service->limits[i].exempt);
	}
	return error;
}

static int take_block(struct datapath *datapath, unsigned n, unsigned *ret_first)
{
	int error = extents_take(datapath->limits->blocks, n, ret_first);

	if (error)
		error = datapath_wait(datapath)
				?: extents_take(datapath->limits->blocks, n, ret_first);
	return error;
}

static int write_block(struct datapath *datapath, const struct wanted *wanted, unsigned *ret_first)
{
	struct limits_state *state = datapath->limits;
	unsigned first;
	int error = take_block(datapath, wanted->n, &first);

	if (error)
		return error;
	for (unsigned i = 0; i < wanted->n; i++) {
		datapath->maps.limits[first + i] = wanted->limits[i];
		datapath->maps.totals[first + i] =
			first_total(datapath, &wanted->limits[i], wanted->old[i]);
		state->number_users[wanted->limits[i].number]++;
	}
	state->block[first] = (struct block){ .n = wanted->n };
	state->unnamed = first;
	*ret_first = first;
	return 0;
}

static bool is_running(const struct datapath *datapath, unsigned running,
		       const struct wanted *wanted)
{
	return running && datapath->limits->block[running].n == wanted->n &&
	       !memcmp(&datapath->maps.limits[running], wanted->limits,
		       wanted->n * sizeof(wanted->limits[0]));
}

int datapath_put_limits(struct datapath *datapath, const struct service_config *service,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_first)
{
	struct limits_state *state = datapath->limits;
	struct wanted wanted = { .n = (unsigned)service->n_limits };
	unsigned running = 0;
	int error;

	/* Of a change that failed before anybody named it. */
	if (state->unnamed)
		retire_block(datapath, state->unnamed);
	state->unnamed = 0;
	*ret_first = 0;
	if (!wanted.n)
		return 0;
	for (size_t i = 0; !running && i < n_keys; i++)
		running = datapath_limits(datapath, &keys[i]);
	for (unsigned i = 0; i < wanted.n; i++)
		wanted.limits[i] = limit_wire(&service->limits[i]);
	match(datapath, running, &wanted);
	error = number(datapath, service, &wanted);
	if (!error && is_running(datapath, running, &wanted))
		*ret_first = running;
	else if (!error)
		error = write_block(datapath, &wanted, ret_first);
	if (!error)
		return 0;
	give_numbers(datapath, &wanted);
	return diag_set(diag, -error, "the maps have no room for its limits: %s", strerror(-error));
}

/* ---- what holds for all ------------------------------------------------------- */

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
