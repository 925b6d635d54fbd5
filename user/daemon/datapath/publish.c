// SPDX-License-Identifier: BSD-2-Clause
/* A service's entry becomes what packets find, and is taken away again: the one place
 * that says to limits and to lists that they are named, or are not any more.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"

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
	if (backend->reply) {
		/* Another service may have taken the backend over meanwhile. */
		if (directory_find(&datapath->return_dir, &backend->key) == backend->reply)
			directory_remove(&datapath->return_dir, &backend->key);
		idpool_retire(datapath->returns, backend->reply);
	}
	/* Flows, and slots as their `previous`, may still name it. */
	__atomic_store_n(&datapath->maps.backends[backend->index].state, 0, __ATOMIC_RELEASE);
	drop_index(datapath, datapath->backends, backend->index);
}
