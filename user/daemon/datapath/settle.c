// SPDX-License-Identifier: BSD-2-Clause
/* A slot settles when two things hold: when a round of the walk began, it had last moved longer
 * ago than the idle timeout, so every connection that lives had been seen and was in the table;
 * and the round found none of its live flows with another backend than `current`. (Where all
 * flows of the service are tracked anyway, the first is enough.) When no slot of a service is in transition any more, the tables that its own
 * has replaced are retired.
 */
#include "daemon/datapath/settle.h"

#include <netinet/in.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "daemon/datapath/sweep.h"
#include "lib/balance/slot.h"

void settle_begin(const struct piece *piece, const struct datapath_timeouts *timeouts, unsigned now)
{
	struct transition *transition = &piece->installed->transition;
	bool udp = piece->installed->key.proto == IPPROTO_UDP;
	unsigned idle = clock_timeout(udp ? timeouts->udp_idle_ms : timeouts->tcp_idle_ms);

	for (unsigned i = piece->begin; i < piece->end; i++)
		transition->held[i] = now - transition->changed[i] <= idle;
}

/* Clears the marks that have done their work. */
static void settle_slots(struct datapath *datapath, const struct piece *piece,
			 const struct datapath_timeouts *timeouts, unsigned now)
{
	const struct sl_service *service = publish_entry_of(datapath, piece->installed);
	struct transition *transition = &piece->installed->transition;
	unsigned fresh = clock_timeout(timeouts->udp_idle_ms);

	for (unsigned i = piece->begin; i < piece->end; i++) {
		__u64 *slot = &datapath->maps.slots[service->table + i], word = *slot;

		if (!(word & SL_SLOT_TRACKING))
			continue;
		if (now - transition->changed[i] > fresh)
			word &= ~SL_SLOT_FRESH;
		if (!transition->held[i]) {
			word = slot_settle(word);
			transition->n_tracking--;
		}
		if (word != *slot)
			__atomic_store_n(slot, word, __ATOMIC_RELEASE);
	}
}

/* In its place: where the entries are all in use there is none for a new one. */
void settle_forget_replaced(struct datapath *datapath, struct installed *installed)
{
	struct sl_service *entry = &datapath->maps.services[installed->entry];
	unsigned replaced = installed->replaced;

	__atomic_store_n(&entry->replaced, 0, __ATOMIC_RELEASE);
	installed->replaced = 0;
	tables_retire_replaced(&datapath->tables, replaced);
}

/* Whether every live flow of the service has been seen since it tracks them all. */
static bool knows_flows(const struct installed *installed, const struct datapath_timeouts *timeouts,
			unsigned now)
{
	return installed->tracked && installed->key.proto == IPPROTO_UDP &&
	       now - installed->tracked_since > clock_timeout(timeouts->udp_idle_ms);
}

void settle_end(struct datapath *datapath, const struct piece *piece,
		const struct datapath_timeouts *timeouts, unsigned now)
{
	struct installed *installed = piece->installed;
	struct transition *transition = &installed->transition;

	if (transition->n_tracking)
		settle_slots(datapath, piece, timeouts, now);
	if (!piece->last)
		return;
	if (knows_flows(installed, timeouts, now))
		backends_know_flows(&datapath->backends, installed, true);
	if (transition->changed && !transition->n_tracking)
		transition_end(transition);
	if (installed->replaced && !transition->n_tracking)
		settle_forget_replaced(datapath, installed);
}
