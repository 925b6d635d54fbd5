// SPDX-License-Identifier: BSD-2-Clause
/* Tables that a service's own has replaced, for older connections. */
#include "daemon/datapath/internal.h"
#include "sluice/slot.h"

static void purge_table(struct datapath *datapath, const struct sl_service *replaced)
{
	__u64 *slots = datapath->maps.slots + replaced->table;

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
