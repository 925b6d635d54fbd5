// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/publish.h"

#include <errno.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/peers.h"
#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"
#include "lib/base/yield.h"

const struct sl_service *publish_entry_of(const struct datapath *datapath,
					  const struct installed *installed)
{
	return &datapath->maps.services[installed->entry];
}

/* An entry begins, or ends, to lead to limits and to a list. */
static void use(struct datapath *datapath, const struct sl_service *entry)
{
	blocks_use(&datapath->blocks, entry);
	lists_use(&datapath->lists, entry);
}

static void release(struct datapath *datapath, const struct sl_service *entry)
{
	blocks_release(&datapath->blocks, entry);
	lists_release(&datapath->lists, entry);
}

int publish_entry(struct datapath *datapath, struct installed *installed,
		  const struct sl_service *entry)
{
	struct tables *tables = &datapath->tables;
	struct sl_service *services = datapath->maps.services;
	unsigned index = grace_take(&datapath->grace, tables->entries), old = installed->entry;
	int error;

	if (!index)
		return -ENOSPC;
	services[index] = *entry;
	if (!(entry->flags & SL_SERVICE_TRACKED))
		backends_know_flows(&datapath->backends, installed, false);
	error = directory_put(&tables->directory, &installed->key, index);
	if (error) {
		idpool_give(tables->entries, index);
		return error;
	}
	installed->entry = index;
	installed_track(installed, entry->flags & SL_SERVICE_TRACKED, clock_second());
	use(datapath, entry);
	if (!old)
		return 0;
	release(datapath, &services[old]);
	if (entry->replaced == old)
		return 0;
	if (services[old].table != entry->table)
		extents_retire(tables->slots, services[old].table);
	idpool_retire(tables->entries, old);
	return 0;
}

void publish_removal(struct datapath *datapath, struct installed *installed)
{
	struct tables *tables = &datapath->tables;

	if (installed->entry) {
		directory_remove(&tables->directory, &installed->key);
		release(datapath, publish_entry_of(datapath, installed));
		tables_retire(tables, installed->entry);
	}
	for (size_t i = 0; i < installed->n_backends; i++) {
		peers_drop(datapath, installed->id, &installed->backends[i]);
		backends_drop(&datapath->backends, &installed->backends[i]);
		yield_point();
	}
	tables_retire_replaced(tables, installed->replaced);
	grace_drop(&datapath->grace, datapath->installed.ids, installed->id);
	installed_free(&datapath->installed, installed);
}
