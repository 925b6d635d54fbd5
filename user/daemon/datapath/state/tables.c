// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/tables.h"

#include <errno.h>
#include <stdbool.h>

#include "daemon/datapath/program/maps.h"
#include "daemon/datapath/state/grace.h"
#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"
#include "sluice/slot.h"

static const struct sl_key *service_key(const void *entries, unsigned index)
{
	return &((const struct sl_service *)entries)[index].key;
}

int tables_init(struct tables *tables, struct maps *maps, struct grace *grace)
{
	tables->maps = maps;
	tables->grace = grace;
	tables->directory = (struct directory){
		.words = maps->directory,
		.size = maps->map[MAP_DIRECTORY].entries,
		.key_of = service_key,
		.entries = maps->services,
	};
	if (idpool_new(maps->map[MAP_SERVICES].entries, &tables->entries) ||
	    extents_new(maps->map[MAP_SLOTS].entries, &tables->slots))
		return -ENOMEM;
	grace_watch_pool(grace, tables->entries);
	grace_watch_ranges(grace, tables->slots);
	return 0;
}

void tables_done(struct tables *tables)
{
	idpool_free(tables->entries);
	extents_free(tables->slots);
}

int tables_take_slots(struct tables *tables, unsigned length, unsigned *ret_start)
{
	int error = extents_take(tables->slots, length, ret_start);

	if (error != -ENOSPC || grace_wait(tables->grace))
		return error;
	return extents_take(tables->slots, length, ret_start);
}

int tables_claim(struct tables *tables, unsigned entry)
{
	const struct sl_service *service;

	if (entry >= tables->maps->map[MAP_SERVICES].entries ||
	    idpool_claim(tables->entries, entry))
		return -EPROTO;
	service = &tables->maps->services[entry];
	if (!extents_claim(tables->slots, service->table, service->table_size))
		return 0;
	idpool_retire(tables->entries, entry);
	return -EPROTO;
}

void tables_retire(struct tables *tables, unsigned entry)
{
	extents_retire(tables->slots, tables->maps->services[entry].table);
	idpool_retire(tables->entries, entry);
}

void tables_retire_replaced(struct tables *tables, unsigned entry)
{
	while (entry) {
		unsigned next = tables->maps->services[entry].replaced;

		tables_retire(tables, entry);
		entry = next;
	}
}

static void purge(const struct maps *maps, const struct sl_service *replaced)
{
	__u64 *slots = maps->slots + replaced->table;

	for (unsigned i = 0; i < replaced->table_size; i++) {
		bool tracking = slots[i] & SL_SLOT_TRACKING;
		unsigned owner = tracking ? sl_slot_previous(slots[i]) : sl_slot_current(slots[i]);

		/* Goes by the table before. */
		if (tracking && owner == SL_NO_BACKEND)
			continue;
		if (!(maps->backends[owner].state & SL_BACKEND_SERVES))
			__atomic_store_n(&slots[i], sl_slot(SL_NO_BACKEND, SL_NO_BACKEND, 0),
					 __ATOMIC_RELEASE);
	}
}

void tables_purge_replaced(struct tables *tables, unsigned entry)
{
	const struct sl_service *services = tables->maps->services;

	for (; entry; entry = services[entry].replaced)
		purge(tables->maps, &services[entry]);
}
