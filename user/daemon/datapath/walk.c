// SPDX-License-Identifier: BSD-2-Clause
/* The program leaves behind flows that have ended and counts that have drifted; the walk
 * tidies them up, off the packet's way.
 *
 * Live connections are counted by the program as they come and end. A connection that ends
 * in silence, or is lost by a full table, is found by counting anew: in each round,
 * those that were live when it began. A flow's entry says in which round it was
 * opened and closed, so changes meanwhile are left to the program's count.
 *
 * On the way it notes which slots have flows with another backend than `current`;
 * settle.c goes by that when a round has ended.
 */
#include "daemon/datapath/walk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "daemon/datapath/settle.h"
#include "daemon/datapath/sweep.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "sluice/hash.h"
#include "sluice/second.h"
#include "sluice/slot.h"

#define WALK_BATCH 4096

/* SL_SECONDs for which a flow is kept after its end, for the last packets of the other side. */
#define OVER_SECONDS 112

static const enum map_name stages[] = { MAP_HANDSHAKES, MAP_FLOWS, MAP_AFFINITIES };

#define N_STAGES ARRAY_SIZE(stages)

struct walk {
	struct datapath_timeouts timeouts;
	unsigned long long tracked; /* flows found in the last round */
	/* The round under way. */
	bool running;       /* a round has begun */
	bool begins, ends;  /* it has not looked at flows yet; it has looked at all of them */
	struct sweep sweep; /* meanwhile */
	size_t stage;       /* index into stages */
	bool begun;         /* this stage: token is valid */
	__u32 token;
	unsigned now;               /* SL_SECOND of this step */
	unsigned long long n_flows; /* found in this round */
	__u32 *counted;             /* by backend: live flows found in this round */
	__u32 *base;                /* by backend: the program's count when it began */
	/* Both kinds of key and value have the same size as the other. */
	struct sl_flow_key keys[WALK_BATCH];
	struct sl_flow values[WALK_BATCH];
	struct sl_flow_key ended[WALK_BATCH];
	__u32 n_ended;
};

_Static_assert(sizeof(struct sl_flow_key) == sizeof(struct sl_source), "one buffer for both");
_Static_assert(sizeof(struct sl_affinity) <= sizeof(struct sl_flow), "one buffer for both");

void walk_free(struct walk *walk)
{
	if (!walk)
		return;
	free(walk->counted);
	free(walk->base);
	free(walk);
}

DEFINE_CLEANUP(walk_free, struct walk *);

int walk_new(unsigned n_backends, struct walk **ret_walk)
{
	_cleanup_(walk_freep) struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return -ENOMEM;
	walk->counted = calloc(n_backends, sizeof(*walk->counted));
	walk->base = calloc(n_backends, sizeof(*walk->base));
	if (!walk->counted || !walk->base)
		return -ENOMEM;
	*ret_walk = TAKE_PTR(walk);
	return 0;
}

/* Whether the flow is the responder's: no slot leads to it, and no slot waits for it. */
static bool has_responder(const struct datapath *datapath, const struct sl_flow *flow)
{
	return datapath->maps.backends[flow->backend].state & SL_BACKEND_RESPONDER;
}

static unsigned at_most(unsigned seconds, unsigned most)
{
	return seconds < most ? seconds : most;
}

/* Whether a flow with these flags has surely ended. Behind a FIN or RST that only the client's
 * side has shown, the connection may be half-closed, or the packet forged: while there is room,
 * its flow is kept for as long as one that lives.
 */
static bool is_over(const struct datapath *datapath, __u32 flags)
{
	bool crowded = datapath->walk->tracked > datapath->maps.map[MAP_FLOWS].entries / 2;

	return flags & SL_FLOW_OVER || (flags && crowded);
}

static unsigned idle_ms(const struct datapath *datapath, const struct installed *installed)
{
	const struct datapath_timeouts *timeouts = &datapath->walk->timeouts;

	if (installed->key.proto == IPPROTO_UDP)
		return timeouts->udp_idle_ms;
	return publish_entry_of(datapath, installed)->flags & SL_SERVICE_TRACKED
		       ? timeouts->tracked_idle_ms
		       : timeouts->tcp_idle_ms;
}

static bool is_idle(const struct datapath *datapath, const struct installed *installed,
		    const struct sl_flow *flow, unsigned now)
{
	unsigned idle = clock_timeout(idle_ms(datapath, installed));

	if (is_over(datapath, flow->flags))
		idle = at_most(idle, OVER_SECONDS);
	if (stages[datapath->walk->stage] == MAP_HANDSHAKES)
		idle = at_most(idle, SL_HANDSHAKE_SECONDS);
	if (has_responder(datapath, flow))
		idle = at_most(idle, SL_RESPOND_SECONDS);
	/* The program's clock may be ahead of the one read before. */
	return sl_second_difference(now, flow->seen) > (__s32)idle;
}

static unsigned slot_of(const struct sl_service *service, const struct sl_flow_key *key, __u64 seed)
{
	__u32 hash = sl_hash_scheduled(service->scheduler, &key->source, key->port,
				       service->key.family, seed);

	return sl_hash_scale(hash, service->table_size);
}

/* Whether all flows of the slot go where the slot says. */
static bool is_settled(const struct sl_service *service, __u64 slot)
{
	return !(service->flags & SL_SERVICE_TRACKED) && !(slot & SL_SLOT_TRACKING);
}

/* Whether the flow was open when this round began. */
static bool was_live(const struct datapath *datapath, const struct sl_flow *flow)
{
	__u32 round = (__u32)*datapath->maps.round;

	return flow->opened != round && (!flow->flags || flow->closed == round);
}

/* Counts the flow, and the one whose place it has taken, as they were when this round began. Of
 * one that is taken out, nothing is left to count.
 */
static void count_flow(const struct datapath *datapath, const struct sl_flow *flow, bool taken_out)
{
	__u32 n = datapath->maps.map[MAP_BACKENDS].entries, *counted = datapath->walk->counted;

	if (flow->backend < n)
		counted[flow->backend] += was_live(datapath, flow) - (taken_out && !flow->flags);
	if (flow->earlier < n && flow->earlier != SL_NO_BACKEND &&
	    flow->earlier_round == (__u32)*datapath->maps.round)
		counted[flow->earlier]++;
}

/* Whether the flow need not be in the table any more. */
static bool has_ended(const struct datapath *datapath, const struct sl_flow_key *key,
		      const struct sl_flow *flow)
{
	const struct installed *installed = key->service < datapath->installed.n_ids
						    ? datapath->installed.by_id[key->service]
						    : NULL;
	const struct sl_service *service;
	const struct sl_backend *backend;
	unsigned position;
	__u64 slot;

	if (!installed || !installed->entry ||
	    flow->backend >= datapath->maps.map[MAP_BACKENDS].entries)
		return true;
	backend = &datapath->maps.backends[flow->backend];
	if (!(backend->state & SL_BACKEND_SERVES) ||
	    is_idle(datapath, installed, flow, datapath->walk->now))
		return true;
	if (has_responder(datapath, flow))
		return false;
	service = publish_entry_of(datapath, installed);
	position = slot_of(service, key, datapath->hash_seed);
	slot = datapath->maps.slots[service->table + position];
	if (is_settled(service, slot))
		return true;
	if (installed->transition.held && !(service->flags & SL_SERVICE_TRACKED) &&
	    sl_slot_current(slot) != flow->backend)
		installed->transition.held[position] = true;
	return false;
}

static bool look_at_flow(const struct datapath *datapath, const struct sl_flow_key *key,
			 const struct sl_flow *flow)
{
	bool ended = has_ended(datapath, key, flow);

	count_flow(datapath, flow, ended);
	return ended;
}

static bool look_at_affinity(const struct datapath *datapath, const struct sl_affinity *affinity)
{
	return affinity->backend >= datapath->maps.map[MAP_BACKENDS].entries ||
	       !(datapath->maps.backends[affinity->backend].state & SL_BACKEND_SERVES) ||
	       sl_second_difference(affinity->expires, datapath->walk->now) < 0;
}

static void begin_round(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	unsigned n = datapath->maps.map[MAP_BACKENDS].entries;

	walk->running = walk->begins = true;
	walk->stage = 0;
	walk->begun = false;
	walk->n_flows = 0;
	grace_begin_round(&datapath->grace);
	__atomic_store_n(datapath->maps.round, (__u32)(*datapath->maps.round + 1),
			 __ATOMIC_RELEASE);
	memset(walk->counted, 0, n * sizeof(*walk->counted));
	for (unsigned i = 0; i < n; i++)
		walk->base[i] = __atomic_load_n(&datapath->maps.loads[i].live, __ATOMIC_RELAXED);
}

/* Whether all services are ready for the round. */
static bool begin_services(const struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	struct piece piece;

	sweep_turn(&walk->sweep);
	while (sweep_next(datapath, &walk->sweep, &piece))
		settle_begin(&piece, &walk->timeouts, walk->now);
	return sweep_over(datapath, &walk->sweep);
}

/* Whether all services have taken what the round has found. */
static bool end_services(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	struct piece piece;

	sweep_turn(&walk->sweep);
	while (sweep_next(datapath, &walk->sweep, &piece))
		settle_end(datapath, &piece, &walk->timeouts, walk->now);
	return sweep_over(datapath, &walk->sweep);
}

/* What the round has counted holds as of now. */
static void correct_loads(const struct datapath *datapath)
{
	const struct walk *walk = datapath->walk;

	for (unsigned i = 0; i < datapath->maps.map[MAP_BACKENDS].entries; i++)
		if (walk->counted[i] != walk->base[i])
			__atomic_fetch_add(&datapath->maps.loads[i].live,
					   walk->counted[i] - walk->base[i], __ATOMIC_RELAXED);
}

/* 1: the round has ended. */
static int end_round(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;

	if (!walk->ends)
		correct_loads(datapath);
	walk->ends = !end_services(datapath);
	if (walk->ends)
		return 0;
	walk->running = false;
	grace_end_round(&datapath->grace);
	walk->tracked = walk->n_flows;
	return 1;
}

static void look_at(struct datapath *datapath, __u32 i)
{
	struct walk *walk = datapath->walk;
	bool is_flow = stages[walk->stage] != MAP_AFFINITIES;
	bool ended = is_flow ? look_at_flow(datapath, &walk->keys[i], &walk->values[i])
			     : look_at_affinity(datapath,
						&((const struct sl_affinity *)walk->values)[i]);

	if (ended)
		walk->ended[walk->n_ended++] = walk->keys[i];
	else if (is_flow)
		walk->n_flows++;
}

/* 1: the round has ended, too. */
static int end_stage(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;

	if (stages[walk->stage] == MAP_HANDSHAKES)
		__atomic_store_n(datapath->maps.round, *datapath->maps.round | SL_ROUND_HANDSHAKES,
				 __ATOMIC_RELEASE);
	walk->begun = false;
	if (++walk->stage < N_STAGES)
		return 0;
	return end_round(datapath);
}

/* Looks at the next flows of the stage. */
static int look_at_batch(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	__u32 count = WALK_BATCH;
	int fd = datapath->maps.map[stages[walk->stage]].fd;
	int error = bpf_map_lookup_batch(fd, walk->begun ? &walk->token : NULL, &walk->token,
					 walk->keys, walk->values, &count, NULL);

	if (error && error != -ENOENT)
		return error;
	walk->begun = true;
	walk->n_ended = 0;
	for (__u32 i = 0; i < count; i++)
		look_at(datapath, i);
	if (walk->n_ended)
		(void)bpf_map_delete_batch(fd, walk->ended, &walk->n_ended, NULL);
	if (!error)
		return 0;
	return end_stage(datapath);
}

int datapath_walk_step(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;

	walk->now = clock_second();
	if (walk->ends)
		return end_round(datapath);
	if (!walk->running)
		begin_round(datapath);
	if (walk->begins)
		walk->begins = !begin_services(datapath);
	return walk->begins ? 0 : look_at_batch(datapath);
}

bool datapath_walk_needed(const struct datapath *datapath)
{
	const struct walk *walk = datapath->walk;
	const struct installed *installed = NULL;

	if (datapath->grace.n_dropped || walk->tracked || walk->running)
		return true;
	while ((installed = installed_next(&datapath->installed, installed))) {
		const struct sl_service *entry = publish_entry_of(datapath, installed);

		if (installed->transition.n_tracking || installed->replaced ||
		    (installed->entry && (entry->flags & SL_SERVICE_TRACKED || entry->responder)))
			return true;
	}
	return false;
}

void datapath_set_timeouts(struct datapath *datapath, const struct datapath_timeouts *timeouts)
{
	datapath->walk->timeouts = *timeouts;
	datapath->maps.tuning->tcp_idle = clock_timeout(timeouts->tcp_idle_ms);
	datapath->maps.tuning->tracked_idle = clock_timeout(timeouts->tracked_idle_ms);
}

const struct datapath_timeouts *walk_timeouts(const struct datapath *datapath)
{
	return &datapath->walk->timeouts;
}

struct datapath_flow_stats datapath_flow_stats(const struct datapath *datapath)
{
	struct datapath_flow_stats stats = { .tracked = datapath->walk->tracked };
	const struct installed *installed = NULL;

	while ((installed = installed_next(&datapath->installed, installed)))
		stats.slots_in_transition += installed->transition.n_tracking;
	return stats;
}
