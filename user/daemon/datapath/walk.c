// SPDX-License-Identifier: BSD-2-Clause
/* The walk over the flow table, a batch at a time: what the program leaves
 * behind is tidied up here, off the packet's way.
 *
 * Live connections are counted by the program as they come and end. What ends in
 * silence, or is lost by a full table, is found by counting anew: in each round,
 * those that were live when it began. A flow's entry says in which round it was
 * opened and closed, so what happens meanwhile is left to the program's count.
 *
 * On the way it notes which slots have flows with another backend than `current`;
 * datapath/settle.c goes by that when a round has ended.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "sluice/hash.h"
#include "sluice/slot.h"

#define WALK_BATCH 4096

/* What lives on after a FIN: the last packets of the other side. */
#define CLOSED_MS 120000

/* Of a handshake nothing but a SYN has been seen. */
#define HANDSHAKE_MS 60000

static const enum map_name stages[] = { MAP_HANDSHAKES, MAP_FLOWS, MAP_AFFINITIES };

#define N_STAGES ARRAY_SIZE(stages)

struct walk {
	bool running; /* a round has begun */
	size_t stage; /* index into stages */
	bool begun;   /* this stage: token is valid */
	__u32 token;
	unsigned now;               /* SL_SECOND of this step */
	unsigned long long n_flows; /* found in this round */
	__u32 *counted;             /* by backend: live flows found in this round */
	__u32 *base;                /* by backend: what the program had counted when it began */
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

static struct walk *walk_new(unsigned n_backends)
{
	_cleanup_(walk_freep) struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->counted = calloc(n_backends, sizeof(*walk->counted));
	walk->base = calloc(n_backends, sizeof(*walk->base));
	return walk->counted && walk->base ? TAKE_PTR(walk) : NULL;
}

/* Whether the flow is the responder's, which no slot tells, and no slot waits for. */
static bool has_responder(const struct datapath *datapath, const struct sl_flow *flow)
{
	return datapath->maps.backends[flow->backend].state & SL_BACKEND_RESPONDER;
}

static bool is_idle(const struct datapath *datapath, const struct installed *installed,
		    const struct sl_flow *flow, unsigned now)
{
	unsigned ms = installed->key.proto == IPPROTO_TCP ? datapath->timeouts.tcp_idle_ms
							  : datapath->timeouts.udp_idle_ms;

	if ((flow->flags & SL_FLOW_CLOSED) && ms > CLOSED_MS)
		ms = CLOSED_MS;
	if (stages[datapath->walk->stage] == MAP_HANDSHAKES && ms > HANDSHAKE_MS)
		ms = HANDSHAKE_MS;
	if (has_responder(datapath, flow) && ms > SL_RESPOND_SECONDS * 1000)
		ms = SL_RESPOND_SECONDS * 1000;
	/* The program's clock may be ahead of the one read before. */
	return (__s32)(now - flow->seen) > (__s32)coarse_timeout(ms);
}

static unsigned slot_of(const struct sl_service *service, const struct sl_flow_key *key, __u64 seed)
{
	__be16 port = service->scheduler == SL_SCHEDULER_SOURCE_HASH ? 0 : key->port;

	return sl_hash_scale(sl_hash_flow(&key->source, port, service->key.family, seed),
			     service->table_size);
}

/* Whether a slot says all there is to say of its flows. */
static bool is_settled(const struct sl_service *service, __u64 slot)
{
	return !(service->flags & SL_SERVICE_TRACKED) && !(slot & SL_SLOT_TRACKING);
}

/* Whether the flow was open when this round began. */
static bool was_live(const struct datapath *datapath, const struct sl_flow *flow)
{
	__u16 round = (__u16)datapath->round;

	if (flow->opened == round)
		return false;
	return !(flow->flags & SL_FLOW_CLOSED) || flow->closed == round;
}

/* True: the flow need not be in the table any more. */
static bool look_at_flow(struct datapath *datapath, const struct sl_flow_key *key,
			 const struct sl_flow *flow)
{
	struct walk *walk = datapath->walk;
	struct installed *installed = key->service < datapath->maps.map[MAP_SERVICE_STAT].entries
					      ? datapath->by_id[key->service]
					      : NULL;
	const struct sl_service *service;
	const struct sl_backend *backend;
	unsigned position;
	__u64 slot;

	if (!installed || !installed->entry ||
	    flow->backend >= datapath->maps.map[MAP_BACKENDS].entries)
		return true;
	backend = &datapath->maps.backends[flow->backend];
	if (!(backend->state & SL_BACKEND_SERVES) || is_idle(datapath, installed, flow, walk->now))
		return true;
	service = installed_entry(datapath, installed);
	position = slot_of(service, key, datapath->hash_seed);
	slot = datapath->maps.slots[service->table + position];
	if (is_settled(service, slot) && !has_responder(datapath, flow))
		return true;
	if (installed->held && sl_slot_current(slot) != flow->backend &&
	    !has_responder(datapath, flow))
		installed->held[position] = true;
	if (was_live(datapath, flow))
		walk->counted[flow->backend]++;
	return false;
}

static bool look_at_affinity(const struct datapath *datapath, const struct sl_affinity *affinity)
{
	return affinity->backend >= datapath->maps.map[MAP_BACKENDS].entries ||
	       !(datapath->maps.backends[affinity->backend].state & SL_BACKEND_SERVES) ||
	       (__s32)(affinity->expires - datapath->walk->now) < 0;
}

static void begin_round(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	unsigned n = datapath->maps.map[MAP_BACKENDS].entries;
	struct hash_node *node = NULL;

	walk->running = true;
	walk->stage = 0;
	walk->begun = false;
	walk->n_flows = 0;
	__atomic_store_n(datapath->maps.round, ++datapath->round, __ATOMIC_RELEASE);
	memset(walk->counted, 0, n * sizeof(*walk->counted));
	for (unsigned i = 0; i < n; i++)
		walk->base[i] = __atomic_load_n(&datapath->maps.loads[i].live, __ATOMIC_RELAXED);
	while ((node = hashtable_next(&datapath->installed, node))) {
		struct installed *installed = HASH_ENTRY(node, struct installed, node);

		if (installed->held)
			memset(installed->held, 0,
			       installed_entry(datapath, installed)->table_size * sizeof(bool));
	}
}

static void end_round(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	struct hash_node *node = NULL;

	walk->running = false;
	for (unsigned i = 0; i < datapath->maps.map[MAP_BACKENDS].entries; i++)
		if (walk->counted[i] != walk->base[i])
			__atomic_fetch_add(&datapath->maps.loads[i].live,
					   walk->counted[i] - walk->base[i], __ATOMIC_RELAXED);
	while ((node = hashtable_next(&datapath->installed, node)))
		transition_settle(datapath, HASH_ENTRY(node, struct installed, node), walk->now);
	dropped_retire(datapath);
	datapath->n_flows = walk->n_flows;
	datapath->flows_left = walk->n_flows != 0;
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

int datapath_walk_step(struct datapath *datapath)
{
	struct walk *walk = datapath->walk;
	__u32 count = WALK_BATCH;
	int fd, error;

	if (!walk)
		walk = datapath->walk = walk_new(datapath->maps.map[MAP_BACKENDS].entries);
	if (!walk)
		return -ENOMEM;
	walk->now = datapath_now();
	if (!walk->running)
		begin_round(datapath);
	fd = datapath->maps.map[stages[walk->stage]].fd;
	error = bpf_map_lookup_batch(fd, walk->begun ? &walk->token : NULL, &walk->token,
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
	walk->begun = false;
	if (++walk->stage < N_STAGES)
		return 0;
	end_round(datapath);
	return 1;
}

bool datapath_walk_needed(const struct datapath *datapath)
{
	struct hash_node *node = NULL;

	if (datapath->n_dropped || datapath->flows_left ||
	    (datapath->walk && datapath->walk->running))
		return true;
	while ((node = hashtable_next(&datapath->installed, node))) {
		const struct installed *installed = HASH_ENTRY(node, const struct installed, node);
		const struct sl_service *entry = installed_entry(datapath, installed);

		if (installed->n_tracking || installed->replaced ||
		    (installed->entry && (entry->flags & SL_SERVICE_TRACKED || entry->responder)))
			return true;
	}
	return false;
}

void datapath_set_timeouts(struct datapath *datapath, const struct datapath_timeouts *timeouts)
{
	datapath->timeouts = *timeouts;
}
