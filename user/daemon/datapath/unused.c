// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/unused.h"

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "daemon/datapath/settle.h"
#include "daemon/datapath/stats.h"
#include "daemon/datapath/sweep.h"
#include "lib/balance/slot.h"

static bool is_unused(const struct datapath *datapath, const struct installed *installed)
{
	struct sl_stats stats;

	return !datapath_service_stats(datapath, &installed->key, &stats) && !stats.packets;
}

static void settle(struct datapath *datapath, const struct piece *piece, unsigned now)
{
	struct installed *installed = piece->installed;
	const struct sl_service *service = publish_entry_of(datapath, installed);
	struct transition *transition = &installed->transition;
	__u64 *slots = datapath->maps.slots + service->table;

	for (unsigned i = piece->begin; i < piece->end; i++) {
		/* A packet that went by the slot before it moved is counted by now. */
		if (!(slots[i] & SL_SLOT_TRACKING) || now - transition->changed[i] < 2)
			continue;
		__atomic_store_n(&slots[i], slot_settle(slots[i]), __ATOMIC_RELEASE);
		transition->n_tracking--;
	}
	if (transition->n_tracking)
		return;
	transition_end(transition);
	if (installed->replaced)
		settle_forget_replaced(datapath, installed);
}

bool datapath_settle_unused(struct datapath *datapath, struct sweep *sweep)
{
	unsigned now = clock_second();
	struct piece piece;

	sweep_turn(sweep);
	while (sweep_next(datapath, sweep, &piece))
		if (piece.installed->transition.n_tracking && is_unused(datapath, piece.installed))
			settle(datapath, &piece, now);
	return !sweep_over(datapath, sweep);
}
