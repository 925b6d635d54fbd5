// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/learning.h"
#include "lib/base/cleanup.h"

#define LEARN_BATCH 4096

/* A batch of flows, or of affinities: their keys and values fit. */
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

/* 1: the client is pinned to none of our backends that serve. */
static int learn_affinity(const struct learning *learning, const struct sl_source *client,
			  unsigned backend)
{
	struct installed *installed = owner_of(learning, client->id, backend);

	return !installed || learning->owner[backend].installed != installed ||
	       !(learning->datapath->maps.backends[backend].state & SL_BACKEND_SERVES);
}

static int learn_batch(struct batch *batch, enum map_name map, __u32 count)
{
	struct learning *learning = batch->learning;
	const struct sl_affinity *affinities = (const void *)batch->values;
	const struct sl_source *clients = (const void *)batch->keys;
	__u32 n_strays = 0;

	for (__u32 i = 0; i < count; i++) {
		int stray =
			map == MAP_AFFINITIES
				? learn_affinity(learning, &clients[i], affinities[i].backend)
				: learn_flow(learning, &batch->keys[i], batch->values[i].backend);

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
		       ?: learn_map(batch, MAP_AFFINITIES);
}
