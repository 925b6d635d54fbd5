// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/sizes.h"

#include <errno.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"

/* The running table that this one replaces; 0: it replaces none. */
static unsigned replaced_size(const struct datapath *datapath, const struct datapath_table *table)
{
	const struct installed *installed = installed_find(&datapath->installed, &table->key);
	const struct sl_service *entry =
		installed && installed->entry ? publish_entry_of(datapath, installed) : NULL;

	if (!entry || (entry->table_size == table->size && entry->scheduler == table->scheduler))
		return 0;
	return entry->table_size;
}

/* Tables are replaced one after the other, and each table needs room beside the one that it
 * replaces, while of all others the smaller one is there: the others are replaced before or
 * after it, as it is best.
 */
static int check_tables(const struct datapath *datapath, const struct datapath_sizes *sizes,
			struct diag *diag)
{
	unsigned held = datapath->maps.map[MAP_SLOTS].entries;
	unsigned long long least = 0;

	for (size_t i = 0; i < sizes->n_tables; i++) {
		const struct datapath_table *table = &sizes->tables[i];
		unsigned replaced = replaced_size(datapath, table);

		least += replaced && replaced < table->size ? replaced : table->size;
	}
	for (size_t i = 0; i < sizes->n_tables; i++) {
		const struct datapath_table *table = &sizes->tables[i];
		unsigned replaced = replaced_size(datapath, table);

		if (least + (replaced > table->size ? replaced : replaced ? table->size : 0) > held)
			return diag_set(
				diag, ENOSPC,
				"its maps have room for %u slots (table_size), which is too few for a table of %u slots beside the one of %u that it replaces",
				held, table->size, replaced);
	}
	return 0;
}

int datapath_fits(const struct datapath *datapath, const struct datapath_sizes *sizes,
		  struct diag *diag)
{
	const struct map *map = datapath->maps.map;
	const struct prefix_set *denied = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	const struct {
		const char *what;
		unsigned held, needed;
	} rooms[] = {
		{ "services", map[MAP_SERVICE_STAT].entries, sizes->services },
		{ "backends", map[MAP_BACKENDS].entries, sizes->backends },
		{ "slots (table_size)", map[MAP_SLOTS].entries, sizes->slots },
		{ "limits", map[MAP_LIMITS].entries, sizes->limits * 2 },
		{ "prefixes (allow, deny, exempt)", map[MAP_PREFIXES].entries,
		  sizes->prefixes + (denied ? (unsigned)denied->n : 0) },
	};

	if (datapath->hash_seed != sizes->hash_seed)
		return diag_set(diag, EEXIST,
				"its hash_seed is %#llx, not %#llx, and another one would move all "
				"connections to other backends",
				(unsigned long long)datapath->hash_seed, sizes->hash_seed);
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
		if (rooms[i].held < rooms[i].needed)
			return diag_set(diag, ENOSPC, "its maps have room for %u %s, %u are needed",
					rooms[i].held, rooms[i].what, rooms[i].needed);
	return check_tables(datapath, sizes, diag);
}
