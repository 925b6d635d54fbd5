// SPDX-License-Identifier: BSD-2-Clause
/* The end of a transition (docs/architecture.md, Slots and transition).
 *
 * A slot settles when two things hold: it last moved longer ago than the idle
 * timeout, so every connection that lives has been seen and is in the table; and a
 * whole round of the walk found none of its live flows with another backend than
 * `current`. Where no slot of a service is in transition any more, the tables go
 * that its own has replaced.
 */
#include <netinet/in.h>

#include "daemon/datapath/internal.h"
#include "lib/balance/slot.h"

/* Clears the marks that have done their work. */
static void settle(struct datapath *datapath, struct installed *installed, unsigned now)
{
	const struct sl_service *service = installed_entry(datapath, installed);
	bool udp = installed->key.proto == IPPROTO_UDP;
	unsigned idle = coarse_timeout(udp ? datapath->timeouts.udp_idle_ms
					   : datapath->timeouts.tcp_idle_ms);
	unsigned fresh = coarse_timeout(datapath->timeouts.udp_idle_ms);

	for (unsigned i = 0; i < service->table_size; i++) {
		__u64 *slot = &datapath->maps.slots[service->table + i], word = *slot;
		unsigned age = now - installed->changed[i];

		if (!(word & SL_SLOT_TRACKING))
			continue;
		if (age > fresh)
			word &= ~SL_SLOT_FRESH;
		if (age > idle && !installed->held[i]) {
			word = slot_settle(word);
			installed->n_tracking--;
		}
		if (word != *slot)
			__atomic_store_n(slot, word, __ATOMIC_RELEASE);
	}
}

/* Nobody goes by the tables any more that this one has replaced. */
static void forget_replaced(struct datapath *datapath, struct installed *installed)
{
	struct sl_service entry = *installed_entry(datapath, installed);
	unsigned replaced = installed->replaced;

	entry.replaced = 0;
	if (installed_publish(datapath, installed, &entry))
		return; /* the next round tries again */
	installed->replaced = 0;
	installed_retire_replaced(datapath, replaced);
}

void transition_settle(struct datapath *datapath, struct installed *installed, unsigned now)
{
	if (installed->n_tracking)
		settle(datapath, installed, now);
	if (installed->changed && !installed->n_tracking)
		transition_end(installed);
	if (installed->replaced && !installed->n_tracking)
		forget_replaced(datapath, installed);
}

/* ---- without a packet, no connection -------------------------------------------- */

/* Whether no packet was ever forwarded, so that no connection can be anywhere. */
static bool is_unused(const struct datapath *datapath, const struct installed *installed)
{
	struct sl_stats stats;

	return !datapath_service_stats(datapath, &installed->key, &stats) && !stats.packets;
}

void datapath_settle_unused(struct datapath *datapath)
{
	unsigned now = datapath_now();
	struct hash_node *node = NULL;

	while ((node = hashtable_next(&datapath->installed, node))) {
		struct installed *installed = HASH_ENTRY(node, struct installed, node);
		const struct sl_service *service = installed_entry(datapath, installed);
		__u64 *slots = datapath->maps.slots + service->table;

		if (!installed->n_tracking || installed->replaced ||
		    !is_unused(datapath, installed))
			continue;
		for (unsigned i = 0; i < service->table_size; i++) {
			/* A packet that went by the slot before it moved is counted by now. */
			if (!(slots[i] & SL_SLOT_TRACKING) || now - installed->changed[i] < 2)
				continue;
			__atomic_store_n(&slots[i], slot_settle(slots[i]), __ATOMIC_RELEASE);
			installed->n_tracking--;
		}
		if (!installed->n_tracking)
			transition_end(installed);
	}
}
