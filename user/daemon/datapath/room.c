// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/room.h"

#include <errno.h>
#include <stddef.h>

#include "daemon/datapath/apply_slots.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"
#include "lib/balance/plan.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"

/* Whether the service gets a table beside the one that it has. */
static bool wants_table(const struct change *change)
{
	const struct sl_service *entry;

	if (!change->installed || !change->installed->entry)
		return true;
	entry = publish_entry_of(change->datapath, change->installed);
	return entry->table_size != change->plan->table_size ||
	       entry->scheduler != change->plan->scheduler;
}

static int no_room(struct diag *diag, unsigned needed, const char *what, unsigned available)
{
	return diag_set(diag, ENOSPC, "the maps have no room for %u more %s now: %u are free",
			needed, what, available);
}

static int check_indices(const struct change *change, struct diag *diag)
{
	const struct datapath *datapath = change->datapath;
	unsigned backends = 0, returns = 0;

	for (size_t i = 0; i < change->plan->n_backends; i++) {
		bool is_new = change->places[i] == CHANGE_NEW;

		backends += is_new;
		returns += is_new && backends_have_reply(&change->plan->backends[i]);
	}
	const struct {
		const char *what;
		unsigned needed;
		const struct idpool *pool;
	} indices[] = {
		{ "services", !change->installed, datapath->installed.ids },
		{ "entries of services", wants_table(change), datapath->tables.entries },
		{ "backends", backends, datapath->backends.indices },
		{ "backends of nat", returns, datapath->backends.returns },
	};

	for (size_t i = 0; i < ARRAY_SIZE(indices); i++)
		if (idpool_available(indices[i].pool) < indices[i].needed)
			return no_room(diag, indices[i].needed, indices[i].what,
				       idpool_available(indices[i].pool));
	return 0;
}

int room_check(const struct change *change, struct diag *diag)
{
	unsigned needed = wants_table(change) ? change->plan->table_size : 0, longest, available;
	int error = check_indices(change, diag);

	/* The look at all ranges is spared where no table is wanted. */
	if (error || !needed)
		return error;
	available = extents_available(change->datapath->tables.slots, &longest);
	if (longest >= needed)
		return 0;
	return no_room(diag, needed, available < needed ? "slots" : "slots in one piece",
		       available < needed ? available : longest);
}
