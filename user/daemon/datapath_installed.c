// SPDX-License-Identifier: BSD-2-Clause
/* What the maps hold, and who occupies which index: kept while the daemon runs,
 * learned from the maps themselves when it takes them over.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "daemon/datapath_internal.h"
#include "lib/cleanup.h"
#include "lib/diag.h"


static bool equal_key(const struct hash_node *node, const void *key)
{
	const struct installed *installed = HASH_ENTRY(node, const struct installed, node);

	return !memcmp(&installed->key, key, sizeof(installed->key));
}

struct installed *installed_find(const struct datapath *datapath, const struct sl_key *key)
{
	struct hash_node *node = hashtable_find(&datapath->installed,
						hash_bytes(key, sizeof(*key), 0), key, equal_key);

	return node ? HASH_ENTRY(node, struct installed, node) : NULL;
}

struct installed_backend *installed_find_backend(const struct installed *installed,
						 const struct sl_key *key)
{
	for (size_t i = 0; i < installed->n_backends; i++)
		if (!memcmp(&installed->backends[i].key, key, sizeof(*key)))
			return &installed->backends[i];
	return NULL;
}

struct installed *installed_new(struct datapath *datapath, const struct sl_key *key, unsigned id)
{
	_cleanup_(cleanup_free) struct installed *installed = calloc(1, sizeof(*installed));

	if (!installed)
		return NULL;
	installed->key = *key;
	installed->id = id;
	if (hashtable_insert(&datapath->installed, &installed->node,
			     hash_bytes(key, sizeof(*key), 0)))
		return NULL;
	return TAKE_PTR(installed);
}

void installed_remove(struct datapath *datapath, struct installed *installed)
{
	if (installed->entry) {
		directory_remove(&datapath->directory, &installed->key);
		extents_retire(datapath->slots,
			       datapath->maps.services[installed->entry].table);
		idpool_retire(datapath->entries, installed->entry);
	}
	for (size_t i = 0; i < installed->n_backends; i++)
		installed_drop_backend(datapath, &installed->backends[i]);
	idpool_retire(datapath->services, installed->id);
	hashtable_remove(&datapath->installed, &installed->node);
	free(installed->backends);
	free(installed);
}

void installed_drop_backend(struct datapath *datapath, const struct installed_backend *backend)
{
	if (backend->answer) {
		/* Another service may have taken the backend over meanwhile. */
		if (directory_find(&datapath->return_dir, &backend->key) == backend->answer)
			directory_remove(&datapath->return_dir, &backend->key);
		idpool_retire(datapath->returns, backend->answer);
	}
	idpool_retire(datapath->backends, backend->index);
}

int installed_add_backend(struct installed *installed, const struct installed_backend *backend)
{
	struct installed_backend *backends = reallocarray(
		installed->backends, installed->n_backends + 1, sizeof(*backends));

	if (!backends)
		return -ENOMEM;
	installed->backends = backends;
	backends[installed->n_backends++] = *backend;
	return 0;
}

int datapath_wait(struct datapath *datapath)
{
	int error = maps_wait_for_readers();

	if (error)
		return error;
	idpool_recycle(datapath->entries);
	idpool_recycle(datapath->services);
	idpool_recycle(datapath->backends);
	idpool_recycle(datapath->returns);
	extents_recycle(datapath->slots);
	datapath->epoch++;
	return 0;
}

/* Which service each backend index belongs to while learning. */
struct learning {
	struct datapath *datapath;
	struct installed **owner; /* by index of sl_backends */
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
		.hop_known = backend->hops[backend->hop & 1].ifindex != 0,
	};

	if (learning->owner[index] == installed)
		return 0;
	if (learning->owner[index] || idpool_claim(datapath->backends, index))
		return -EPROTO;
	learning->owner[index] = installed;
	return installed_add_backend(installed, &learned);
}

static int learn_service(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct map *map = datapath->maps.map;
	const struct sl_service *service;
	struct installed *installed;
	int error = 0;

	if (entry >= map[MAP_SERVICES].entries)
		return -EPROTO;
	service = &datapath->maps.services[entry];
	if (idpool_claim(datapath->entries, entry) ||
	    idpool_claim(datapath->services, service->id) ||
	    extents_claim(datapath->slots, service->table, service->table_size))
		return -EPROTO;
	installed = installed_new(datapath, &service->key, service->id);
	if (!installed)
		return -ENOMEM;
	installed->entry = entry;
	for (unsigned i = 0; !error && i < service->table_size; i++) {
		uint64_t index = datapath->maps.slots[service->table + i];

		if (index >= map[MAP_BACKENDS].entries)
			return -EPROTO;
		if (index != SL_NO_BACKEND)
			error = learn_backend(learning, installed, (unsigned)index);
	}
	return error;
}

/* A return names its backend and service; its backend may have no slot now. */
static int learn_return(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct map *map = datapath->maps.map;
	const struct sl_return *answer;
	struct sl_key key;
	struct installed *installed;
	struct installed_backend *backend;
	int error;

	if (entry >= map[MAP_RETURNS].entries || idpool_claim(datapath->returns, entry))
		return -EPROTO;
	answer = &datapath->maps.returns[entry];
	key = (struct sl_key){ .addr = answer->addr,
			       .port = answer->port,
			       .proto = answer->key.proto,
			       .family = answer->key.family };
	installed = installed_find(datapath, &key);
	if (!installed || answer->backend >= map[MAP_BACKENDS].entries)
		return -EPROTO;
	error = learn_backend(learning, installed, answer->backend);
	backend = installed_find_backend(installed, &answer->key);
	if (backend)
		backend->answer = entry;
	return error;
}

int datapath_learn(struct datapath *datapath, struct diag *diag)
{
	_cleanup_(cleanup_free) struct installed **owner =
		calloc(datapath->maps.map[MAP_BACKENDS].entries, sizeof(*owner));
	struct learning learning = { .datapath = datapath, .owner = owner };
	int error = owner ? 0 : -ENOMEM;

	for (unsigned i = 0; !error && i < datapath->directory.size; i++) {
		uint64_t word = datapath->directory.words[i];

		if (word != SL_DIRECTORY_EMPTY && word != SL_DIRECTORY_REMOVED)
			error = learn_service(&learning, (unsigned)word);
	}
	for (unsigned i = 0; !error && i < datapath->return_dir.size; i++) {
		uint64_t word = datapath->return_dir.words[i];

		if (word != SL_DIRECTORY_EMPTY && word != SL_DIRECTORY_REMOVED)
			error = learn_return(&learning, (unsigned)word);
	}
	return error ? diag_set(diag, -error, "its maps contradict themselves") : 0;
}
