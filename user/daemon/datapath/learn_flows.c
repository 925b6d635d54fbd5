// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/learning.h"
#include "lib/base/cleanup.h"

#define LEARN_BATCH 4096

/* A batch of flows, affinities or peers: their keys and values fit. */
struct batch {
	struct learning *learning;
	struct sl_flow_key keys[LEARN_BATCH], strays[LEARN_BATCH];
	struct sl_flow values[LEARN_BATCH];
};

_Static_assert(sizeof(struct sl_flow_key) == sizeof(struct sl_source), "one buffer for both");
_Static_assert(sizeof(struct sl_affinity) <= sizeof(struct sl_flow), "one buffer for both");

static struct installed *owner_of(const struct learning *learning, unsigned service,
				  unsigned backend)
{
	const struct datapath *datapath = learning->datapath;

	if (service >= datapath->installed.n_ids ||
	    backend >= datapath->maps.map[MAP_BACKENDS].entries)
		return NULL;
	return datapath->installed.by_id[service];
}

/* 1: the flow leads to none of our backends that serve. */
static int learn_flow(struct learning *learning, const struct sl_flow_key *key, unsigned backend)
{
	struct installed *installed = owner_of(learning, key->service, backend);

	if (!installed || !(learning->datapath->maps.backends[backend].state & SL_BACKEND_SERVES))
		return 1;
	return learning_backend(learning, installed, backend);
}

static bool is_backend_of(const struct learning *learning, unsigned service, unsigned backend)
{
	const struct installed *installed = owner_of(learning, service, backend);

	return installed && learning->owner[backend].installed == installed;
}

/* 1: the client is pinned to none of our backends that serve. */
static int learn_affinity(const struct learning *learning, const struct sl_affinity *affinity)
{
	return !is_backend_of(learning, affinity->service, affinity->backend) ||
	       !(learning->datapath->maps.backends[affinity->backend].state & SL_BACKEND_SERVES);
}

static int learn_one(struct batch *batch, enum map_name map, __u32 i)
{
	const struct sl_affinity *affinities = (const void *)batch->values;
	const struct sl_source *sources = (const void *)batch->keys;
	const __u32 *peers = (const void *)batch->values;

	if (map == MAP_AFFINITIES)
		return learn_affinity(batch->learning, &affinities[i]);
	if (map == MAP_PEERS) /* one that is missing is put there again */
		return !is_backend_of(batch->learning, sources[i].id, peers[i]);
	return learn_flow(batch->learning, &batch->keys[i], batch->values[i].backend);
}

static int learn_batch(struct batch *batch, enum map_name map, __u32 count)
{
	struct learning *learning = batch->learning;
	__u32 n_strays = 0;

	for (__u32 i = 0; i < count; i++) {
		int stray = learn_one(batch, map, i);

		if (stray < 0)
			return stray;
		if (stray)
			batch->strays[n_strays++] = batch->keys[i];
	}
	if (n_strays)
		(void)bpf_map_delete_batch(learning->datapath->maps.map[map].fd, batch->strays,
					   &n_strays, NULL);
	return 0;
}

static int learn_map(struct batch *batch, enum map_name map)
{
	int fd = batch->learning->datapath->maps.map[map].fd, last = 0, error = 0;
	__u32 token;

	for (bool begun = false; !error && !last; begun = true) {
		__u32 count = LEARN_BATCH;

		last = bpf_map_lookup_batch(fd, begun ? &token : NULL, &token, batch->keys,
					    batch->values, &count, NULL);
		error = last && last != -ENOENT ? last : learn_batch(batch, map, count);
	}
	return error;
}

int learn_flows(struct learning *learning)
{
	_cleanup_(cleanup_free) struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return -ENOMEM;
	batch->learning = learning;
	return learn_map(batch, MAP_HANDSHAKES)
		       ?: learn_map(batch, MAP_FLOWS)
		       ?: learn_map(batch, MAP_AFFINITIES)
		       ?: learn_map(batch, MAP_PEERS);
}
