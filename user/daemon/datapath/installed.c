// SPDX-License-Identifier: BSD-2-Clause
/* What the maps hold, and who occupies which index. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"
#include "sluice/slot.h"

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

const struct sl_service *installed_entry(const struct datapath *datapath,
					 const struct installed *installed)
{
	return &datapath->maps.services[installed->entry];
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
	datapath->by_id[id] = installed;
	return TAKE_PTR(installed);
}

static void purge_table(struct datapath *datapath, const struct sl_service *replaced)
{
	uint64_t *slots = datapath->maps.slots + replaced->table;

	for (unsigned i = 0; i < replaced->table_size; i++) {
		bool tracking = slots[i] & SL_SLOT_TRACKING;
		unsigned owner = tracking ? sl_slot_previous(slots[i]) : sl_slot_current(slots[i]);

		/* Goes by the table before. */
		if (tracking && owner == SL_NO_BACKEND)
			continue;
		if (!(datapath->maps.backends[owner].state & SL_BACKEND_SERVES))
			__atomic_store_n(&slots[i], sl_slot(SL_NO_BACKEND, SL_NO_BACKEND, 0),
					 __ATOMIC_RELEASE);
	}
}

void installed_purge_replaced(struct datapath *datapath, const struct installed *installed)
{
	const struct sl_service *services = datapath->maps.services;

	for (unsigned entry = installed->replaced; entry; entry = services[entry].replaced)
		purge_table(datapath, &services[entry]);
}

void installed_retire_replaced(struct datapath *datapath, unsigned entry)
{
	while (entry) {
		unsigned next = datapath->maps.services[entry].replaced;

		installed_retire_entry(datapath, entry);
		entry = next;
	}
}

/* An entry together with its table. */
void installed_retire_entry(struct datapath *datapath, unsigned entry)
{
	extents_retire(datapath->slots, datapath->maps.services[entry].table);
	idpool_retire(datapath->entries, entry);
}

/* Without memory to remember it, the index is lost, not used too early. */
void drop_index(struct datapath *datapath, struct idpool *pool, unsigned index)
{
	struct dropped *dropped =
		reallocarray(datapath->dropped, datapath->n_dropped + 1, sizeof(*dropped));

	if (!dropped)
		return;
	datapath->dropped = dropped;
	dropped[datapath->n_dropped++] =
		(struct dropped){ .pool = pool, .index = index, .round = datapath->round };
}

void dropped_retire(struct datapath *datapath)
{
	size_t kept = 0;

	for (size_t i = 0; i < datapath->n_dropped; i++) {
		const struct dropped *dropped = &datapath->dropped[i];

		if (dropped->round < datapath->round)
			idpool_retire(dropped->pool, dropped->index);
		else
			datapath->dropped[kept++] = *dropped;
	}
	datapath->n_dropped = kept;
}

__u32 coarse_timeout(unsigned ms)
{
	return (__u32)(((uint64_t)ms * 1000000 + (1ULL << SL_SECOND_SHIFT) - 1) >> SL_SECOND_SHIFT);
}

unsigned datapath_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned)(((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) >>
			  SL_SECOND_SHIFT);
}

int transition_begin(struct installed *installed, unsigned table_size)
{
	if (installed->changed)
		return 0;
	installed->changed = calloc(table_size, sizeof(*installed->changed));
	installed->held = calloc(table_size, sizeof(*installed->held));
	if (installed->changed && installed->held)
		return 0;
	transition_end(installed);
	return -ENOMEM;
}

void transition_end(struct installed *installed)
{
	free(TAKE_PTR(installed->changed));
	free(TAKE_PTR(installed->held));
	installed->n_tracking = 0;
}

unsigned take_index(struct datapath *datapath, struct idpool *pool)
{
	unsigned index = idpool_take(pool);

	if (index || !idpool_available(pool) || datapath_wait(datapath))
		return index;
	return idpool_take(pool);
}

int installed_publish(struct datapath *datapath, struct installed *installed,
		      const struct sl_service *entry)
{
	unsigned index = take_index(datapath, datapath->entries), old = installed->entry;
	int error;

	if (!index)
		return -ENOSPC;
	datapath->maps.services[index] = *entry;
	error = directory_put(&datapath->directory, &installed->key, index);
	if (error) {
		idpool_give(datapath->entries, index);
		return error;
	}
	installed->entry = index;
	limits_use(datapath, entry);
	access_use(datapath, entry);
	if (!old)
		return 0;
	limits_release(datapath, &datapath->maps.services[old]);
	access_release(datapath, &datapath->maps.services[old]);
	if (entry->replaced == old)
		return 0;
	if (datapath->maps.services[old].table != entry->table)
		extents_retire(datapath->slots, datapath->maps.services[old].table);
	idpool_retire(datapath->entries, old);
	return 0;
}

void installed_remove(struct datapath *datapath, struct installed *installed)
{
	if (installed->entry) {
		directory_remove(&datapath->directory, &installed->key);
		limits_release(datapath, installed_entry(datapath, installed));
		access_release(datapath, installed_entry(datapath, installed));
		installed_retire_entry(datapath, installed->entry);
	}
	for (size_t i = 0; i < installed->n_backends; i++)
		installed_drop_backend(datapath, &installed->backends[i]);
	installed_retire_replaced(datapath, installed->replaced);
	drop_index(datapath, datapath->services, installed->id);
	datapath->by_id[installed->id] = NULL;
	hashtable_remove(&datapath->installed, &installed->node);
	transition_end(installed);
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
	/* Flows, and slots as their `previous`, may still name it. */
	__atomic_store_n(&datapath->maps.backends[backend->index].state, 0, __ATOMIC_RELEASE);
	drop_index(datapath, datapath->backends, backend->index);
}

int installed_add_backend(struct installed *installed, const struct installed_backend *backend)
{
	struct installed_backend *backends =
		reallocarray(installed->backends, installed->n_backends + 1, sizeof(*backends));

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
	limits_recycle(datapath);
	access_recycle(datapath);
	datapath->epoch++;
	return 0;
}
