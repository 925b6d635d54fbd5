// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/sweep.h"

#include <sys/param.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"

/* What a turn does, a few ms, and what meeting a service costs: counted in slots. */
#define TURN_SLOTS    (1U << 18)
#define SERVICE_SLOTS 64

void sweep_turn(struct sweep *sweep)
{
	sweep->left = TURN_SLOTS;
}

static struct installed *next_service(const struct datapath *datapath, struct sweep *sweep)
{
	const struct installed_set *set = &datapath->installed;

	while (sweep->id < set->n_ids && !set->by_id[sweep->id]) {
		sweep->id++;
		sweep->slot = 0;
	}
	return sweep->id < set->n_ids ? set->by_id[sweep->id] : NULL;
}

bool sweep_next(const struct datapath *datapath, struct sweep *sweep, struct piece *ret_piece)
{
	struct installed *installed = sweep->left ? next_service(datapath, sweep) : NULL;
	unsigned size, begin, end;

	if (!installed)
		return false;
	size = installed->transition.changed ? publish_entry_of(datapath, installed)->table_size
					     : 0;
	/* The table may be a smaller one than it was. */
	begin = MIN(sweep->slot, size);
	end = begin + MIN(size - begin, sweep->left);
	*ret_piece = (struct piece){
		.installed = installed,
		.begin = begin,
		.end = end,
		.last = end == size,
	};
	sweep->left -= MIN(sweep->left, end - begin + SERVICE_SLOTS);
	sweep->slot = end;
	if (ret_piece->last) {
		sweep->id++;
		sweep->slot = 0;
	}
	return true;
}

bool sweep_over(const struct datapath *datapath, struct sweep *sweep)
{
	if (next_service(datapath, sweep))
		return false;
	*sweep = (struct sweep){};
	return true;
}
