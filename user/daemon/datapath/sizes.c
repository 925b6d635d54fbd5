// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/sizes.h"

#include <errno.h>

#include "daemon/datapath/apply.h"
#include "daemon/datapath/internal.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"

/* The running table that this one replaces; 0: it replaces none. */
static unsigned replaced_size(const struct datapath *datapath, const struct datapath_table *table)
{
	enum sl_scheduler scheduler;
	unsigned size;

	if (!datapath_shape(datapath, &table->key, &scheduler, &size) ||
	    (size == table->size && scheduler == table->scheduler))
		return 0;
	return size;
}

/* Whether tables can be replaced in any order, with each of them beside the one that it
 * replaces: before and after that the larger of both is there at most, so that beside the larger
 * ones of all services there must be room for the smaller one of any.
 */
static int check_tables(const struct datapath *datapath, const struct datapath_sizes *sizes,
			struct diag *diag)
{
	unsigned held = datapath->maps.map[MAP_SLOTS].entries, both = 0;
	unsigned long long larger = 0;

	for (size_t i = 0; i < sizes->n_tables; i++) {
		unsigned size = sizes->tables[i].size;
		unsigned replaced = replaced_size(datapath, &sizes->tables[i]);
		unsigned smaller = replaced < size ? replaced : size;

		larger += replaced < size ? size : replaced;
		both = smaller > both ? smaller : both;
	}
	if (larger + both <= held)
		return 0;
	return diag_set(
		diag, ENOSPC,
		"its maps have room for %u slots (table_size), %llu are needed while tables "
		"are replaced by others and connections go on by both",
		held, larger + both);
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

	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
		if (rooms[i].held < rooms[i].needed)
			return diag_set(diag, ENOSPC, "its maps have room for %u %s, %u are needed",
					rooms[i].held, rooms[i].what, rooms[i].needed);
	return check_tables(datapath, sizes, diag);
}
