// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/learn.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "lib/alloc/idpool.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/slot.h"

#define LEARN_BATCH 4096

/* Which service each backend index belongs to while learning. */
struct learning {
	struct datapath *datapath;
	struct installed **owner; /* by index of sl_backends */
	/* A batch of flows, or of affinities: their keys and values fit. */
	struct sl_flow_key keys[LEARN_BATCH], strays[LEARN_BATCH];
	struct sl_flow values[LEARN_BATCH];
};

static int learn_backend(struct learning *learning, struct installed *installed, unsigned index)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_backend *backend = &datapath->maps.backends[index];
	struct installed_backend learned = {
		.key = {
			.addr = backend->addr,
			.port = backend->port,
			.proto = installed->key.proto,
			.family = backend->family,
		},
		.index = index,
		.hop_known = backend->hops[backend->state & SL_BACKEND_HOP].ifindex != 0,
	};

	if (learning->owner[index] == installed)
		return 0;
	if (learning->owner[index] || idpool_claim(datapath->backends.indices, index))
		return -EPROTO;
	learning->owner[index] = installed;
	return installed_add_backend(installed, &learned);
}

static int learn_index(struct learning *learning, struct installed *installed, unsigned index)
{
	if (index >= learning->datapath->maps.map[MAP_BACKENDS].entries)
		return -EPROTO;
	return index == SL_NO_BACKEND ? 0 : learn_backend(learning, installed, index);
}

/* How long a transition has gone on already is not known: it starts anew. */
static int learn_slot(struct learning *learning, struct installed *installed, unsigned position)
{
	const struct maps *maps = &learning->datapath->maps;
	const struct sl_service *service = &maps->services[installed->entry];
	__u64 slot = maps->slots[service->table + position];
	int error = learn_index(learning, installed, sl_slot_current(slot));

	if (error || !(slot & SL_SLOT_TRACKING))
		return error;
	error = learn_index(learning, installed, sl_slot_previous(slot))
			?: transition_begin(&installed->transition, service->table_size);
	if (error)
		return error;
	installed->transition.changed[position] = clock_second();
	installed->transition.n_tracking++;
	return 0;
}

/* Learns the backend that a replaced table's slot leads to, or clears the slot if that
 * backend no longer serves.
 */
static int learn_replaced_slot(struct learning *learning, struct installed *installed, __u64 *slot)
{
	const struct maps *maps = &learning->datapath->maps;
	unsigned index =
		*slot & SL_SLOT_TRACKING ? sl_slot_previous(*slot) : sl_slot_current(*slot);

	if (index >= maps->map[MAP_BACKENDS].entries)
		return -EPROTO;
	/* Goes by the table before. */
	if ((*slot & SL_SLOT_TRACKING) && index == SL_NO_BACKEND)
		return 0;
	if (maps->backends[index].state & SL_BACKEND_SERVES)
		return learn_index(learning, installed, index);
	__atomic_store_n(slot, sl_slot(SL_NO_BACKEND, SL_NO_BACKEND, 0), __ATOMIC_RELEASE);
	return 0;
}

static int learn_replaced_table(struct learning *learning, struct installed *installed,
				unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_service *service;
	int error = tables_claim(&datapath->tables, entry);

	if (error)
		return error;
	service = &datapath->maps.services[entry];
	for (unsigned i = 0; !error && i < service->table_size; i++)
		error = learn_replaced_slot(learning, installed,
					    &datapath->maps.slots[service->table + i]);
	return error;
}

static int learn_replaced(struct learning *learning, struct installed *installed, unsigned entry)
{
	int error = 0;

	installed->replaced = entry;
	/* A circle would claim an entry twice, which is an error. */
	while (!error && entry) {
		error = learn_replaced_table(learning, installed, entry);
		if (!error)
			entry = learning->datapath->maps.services[entry].replaced;
	}
	return error;
}

static int learn_service(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_service *service;
	struct installed *installed;
	int error = tables_claim(&datapath->tables, entry);

	if (error)
		return error;
	service = &datapath->maps.services[entry];
	if (idpool_claim(datapath->installed.ids, service->id))
		return -EPROTO;
	installed = installed_new(&datapath->installed, &service->key, service->id);
	if (!installed)
		return -ENOMEM;
	installed->entry = entry;
	error = blocks_learn(&datapath->blocks, service) ?: lists_learn(&datapath->lists, service);
	for (unsigned i = 0; !error && i < service->table_size; i++)
		error = learn_slot(learning, installed, i);
	if (!error && service->replaced)
		error = learn_replaced(learning, installed, service->replaced);
	return error;
}

/* A return names its backend and service; its backend may have no slot now. */
static int learn_return(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct map *map = datapath->maps.map;
	const struct sl_return *reply;
	struct sl_key key;
	struct installed *installed;
	struct installed_backend *backend;
	int error;

	if (entry >= map[MAP_RETURNS].entries || idpool_claim(datapath->backends.returns, entry))
		return -EPROTO;
	reply = &datapath->maps.returns[entry];
	key = (struct sl_key){ .addr = reply->addr,
			       .port = reply->port,
			       .proto = reply->key.proto,
			       .family = reply->key.family };
	installed = installed_find(&datapath->installed, &key);
	if (!installed || reply->backend >= map[MAP_BACKENDS].entries)
		return -EPROTO;
	error = learn_backend(learning, installed, reply->backend);
	backend = installed_find_backend(installed, &reply->key);
	if (backend)
		backend->reply = entry;
	return error;
}

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
	int error;

	if (!installed || !(learning->datapath->maps.backends[backend].state & SL_BACKEND_SERVES))
		return 1;
	error = learn_backend(learning, installed, backend);
	return error == -EPROTO ? 1 : error;
}

/* 1: the client is pinned to none of our backends that serve. */
static int learn_affinity(const struct learning *learning, const struct sl_source *client,
			  unsigned backend)
{
	struct installed *installed = owner_of(learning, client->id, backend);

	return !installed || learning->owner[backend] != installed ||
	       !(learning->datapath->maps.backends[backend].state & SL_BACKEND_SERVES);
}

static int learn_batch(struct learning *learning, enum map_name map, __u32 count)
{
	const struct sl_affinity *affinities = (const void *)learning->values;
	const struct sl_source *clients = (const void *)learning->keys;
	__u32 n_strays = 0;

	for (__u32 i = 0; i < count; i++) {
		int stray = map == MAP_AFFINITIES
				    ? learn_affinity(learning, &clients[i], affinities[i].backend)
				    : learn_flow(learning, &learning->keys[i],
						 learning->values[i].backend);

		if (stray < 0)
			return stray;
		if (stray)
			learning->strays[n_strays++] = learning->keys[i];
	}
	if (n_strays)
		(void)bpf_map_delete_batch(learning->datapath->maps.map[map].fd, learning->strays,
					   &n_strays, NULL);
	return 0;
}

/* Flows outlive slots: of a backend that drains, they may be all that leads to it. Flows that
 * lead to no known backend are removed, before another backend is given that index.
 */
static int learn_flows(struct learning *learning, enum map_name map)
{
	int fd = learning->datapath->maps.map[map].fd, last = 0, error = 0;
	__u32 token;

	for (bool begun = false; !error && !last; begun = true) {
		__u32 count = LEARN_BATCH;

		last = bpf_map_lookup_batch(fd, begun ? &token : NULL, &token, learning->keys,
					    learning->values, &count, NULL);
		error = last && last != -ENOENT ? last : learn_batch(learning, map, count);
	}
	return error;
}

typedef int learn_entry_fn(struct learning *learning, unsigned entry);

static int learn_directory(struct learning *learning, const struct directory *directory,
			   learn_entry_fn *learn_entry)
{
	int error = 0;

	for (unsigned i = 0; !error && i < directory->size; i++) {
		__u64 word = directory->words[i];

		if (word != SL_DIRECTORY_EMPTY && word != SL_DIRECTORY_REMOVED)
			error = learn_entry(learning, (unsigned)word);
	}
	return error;
}

static int explain(int error, struct diag *diag)
{
	switch (error) {
	case -EPROTO:
		return diag_set(diag, EPROTO, "its maps contradict themselves");
	case -ENOMEM:
		return diag_no_memory(diag);
	default:
		return diag_set(diag, -error, "cannot read its maps: %s", strerror(-error));
	}
}

int datapath_learn(struct datapath *datapath, struct diag *diag)
{
	_cleanup_(cleanup_free) struct installed **owner =
		calloc(datapath->maps.map[MAP_BACKENDS].entries, sizeof(*owner));
	_cleanup_(cleanup_free) struct learning *learning = calloc(1, sizeof(*learning));
	int error = 0;

	if (!owner || !learning)
		return diag_no_memory(diag);
	learning->datapath = datapath;
	learning->owner = owner;
	error = learn_directory(learning, &datapath->tables.directory, learn_service)
	     ?: learn_directory(learning, &datapath->backends.return_dir, learn_return)
	     ?: prefixes_learn(&datapath->prefixes)
	     ?: learn_flows(learning, MAP_HANDSHAKES)
	     ?: learn_flows(learning, MAP_FLOWS)
	     ?: learn_flows(learning, MAP_AFFINITIES);
	return error ? explain(error, diag) : 0;
}
