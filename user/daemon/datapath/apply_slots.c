// SPDX-License-Identifier: BSD-2-Clause
/* A change that moves slots leads older connections on to where they are; one that takes
 * another table keeps the old table for them.
 */
#include "daemon/datapath/apply_slots.h"

#include <errno.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "daemon/datapath/walk.h"
#include "lib/alloc/extents.h"
#include "lib/balance/plan.h"
#include "lib/balance/slot.h"
#include "lib/base/yield.h"

#define SLOTS_A_TURN 256 /* some microseconds */

/* Why a service's slots are written. */
enum writing {
	WRITE_FIRST,     /* a table that is new: there are no connections */
	WRITE_REPLACING, /* a table instead of another: older connections go by that one */
	WRITE_MOVING,    /* slots that flows hash to: those that change go into transition */
	WRITE_PLAIN,     /* all flows are tracked: slots are for new connections alone */
};

static bool index_serves(const void *arg, unsigned index)
{
	const struct datapath *datapath = arg;

	return datapath->maps.backends[index].state & SL_BACKEND_SERVES;
}

static __u64 next_word(const struct change *change, __u64 slot, unsigned next, enum writing writing)
{
	switch (writing) {
	case WRITE_FIRST:
		return sl_slot(next, SL_NO_BACKEND, 0);
	case WRITE_REPLACING:
		return sl_slot(next, SL_NO_BACKEND, SL_SLOT_TRACKING | SL_SLOT_FRESH);
	case WRITE_MOVING:
		return slot_move(slot, next, index_serves, change->datapath);
	case WRITE_PLAIN:
		break;
	}
	return sl_slot(next, SL_NO_BACKEND, slot & (SL_SLOT_TRACKING | SL_SLOT_FRESH));
}

/* The slot moves now: it is fresh, and does not settle in a round of the walk that is under way.
 * No slot is marked before.
 */
static void begin_slot(const struct change *change, unsigned position, unsigned now)
{
	struct transition *transition = &change->installed->transition;
	struct datapath *datapath = change->datapath;

	transition->changed[position] = now;
	transition->held[position] = true;
	__atomic_store_n(&datapath->maps.tuning->fresh_until,
			 now + clock_timeout(walk_timeouts(datapath)->udp_idle_ms),
			 __ATOMIC_RELEASE);
}

/* Each slot is one word: a packet sees the old backend or the new one. */
static int write_slots(const struct change *change, unsigned table, enum writing writing)
{
	const struct plan *plan = change->plan;
	struct transition *transition = &change->installed->transition;
	__u64 *slots = change->datapath->maps.slots + table;
	unsigned now = clock_second();

	for (unsigned i = 0; i < plan->table_size; i++) {
		unsigned next = plan->table[i] == PLAN_NO_BACKEND ? SL_NO_BACKEND
								  : change->indices[plan->table[i]];
		__u64 word = next_word(change, slots[i], next, writing);
		bool tracked = writing != WRITE_FIRST && writing != WRITE_REPLACING &&
			       (slots[i] & SL_SLOT_TRACKING);

		if (word & SL_SLOT_TRACKING) {
			if (transition_begin(transition, plan->table_size))
				return -ENOMEM;
			if (!tracked || (writing == WRITE_MOVING &&
					 sl_slot_current(word) != sl_slot_current(slots[i])))
				begin_slot(change, i, now);
			transition->n_tracking += !tracked;
		}
		if (slots[i] != word)
			__atomic_store_n(&slots[i], word, __ATOMIC_RELEASE);
		if (!(i % SLOTS_A_TURN))
			yield_point();
	}
	return 0;
}

/* Publishes the service with a table of its own, the first one or another. */
static int publish_table(struct change *change, struct sl_service *entry, enum writing writing)
{
	struct installed *installed = change->installed;
	int error = tables_take_slots(&change->datapath->tables, entry->table_size, &entry->table);

	if (error)
		return error;
	transition_end(&installed->transition);
	error = write_slots(change, entry->table, writing);
	if (!error)
		error = publish_entry(change->datapath, installed, entry);
	if (error)
		extents_give(change->datapath->tables.slots, entry->table);
	return error;
}

/* A service begins, or ends, to track every flow. Where it ends, flows may be pinned to other
 * backends than their slots say; where it begins, no older connection has an entry. So all slots
 * are looked up until they settle.
 */
static int track_all_slots(struct change *change, const struct sl_service *old)
{
	struct transition *transition = &change->installed->transition;
	__u64 *slots = change->datapath->maps.slots + old->table;
	unsigned now = clock_second();

	for (unsigned i = 0; i < old->table_size; i++) {
		if (slots[i] & SL_SLOT_TRACKING)
			continue;
		if (transition_begin(transition, old->table_size))
			return -ENOMEM;
		begin_slot(change, i, now);
		transition->n_tracking++;
		__atomic_store_n(&slots[i],
				 sl_slot(sl_slot_current(slots[i]), sl_slot_current(slots[i]),
					 SL_SLOT_TRACKING | SL_SLOT_FRESH),
				 __ATOMIC_RELEASE);
	}
	return 0;
}

static unsigned responder_of(const struct change *change)
{
	for (size_t i = 0; i < change->plan->n_backends; i++)
		if (change->plan->backends[i].responder)
			return change->indices[i];
	return SL_NO_BACKEND;
}

static struct sl_service entry_of(const struct change *change)
{
	const struct plan *plan = change->plan;

	return (struct sl_service){
		.key = plan->key,
		.id = change->installed->id,
		.table_size = plan->table_size,
		.scheduler = (__u8)plan->scheduler,
		.flags = plan->flags,
		.affinity_prefix = plan->affinity_prefix,
		.affinity_id = plan->affinity_group ?: change->installed->id,
		.affinity_timeout = clock_timeout(plan->affinity_ms),
		.n_limits = plan->limits ? plan->n_limits : 0,
		.limits = plan->limits,
		.access = plan->access,
		.responder = responder_of(change),
		.replaced = change->installed->replaced,
	};
}

/* Forgets the oldest of the replaced tables where there are too many of them. */
static void limit_replaced(struct datapath *datapath, unsigned entry)
{
	struct sl_service *services = datapath->maps.services;
	unsigned oldest;

	for (unsigned i = 1; entry && i < SL_REPLACED_MAX; i++)
		entry = services[entry].replaced;
	oldest = entry ? services[entry].replaced : 0;
	if (!oldest)
		return;
	__atomic_store_n(&services[entry].replaced, 0, __ATOMIC_RELEASE);
	tables_retire_replaced(&datapath->tables, oldest);
}

/* Another table: of another size, or for another scheduler. */
static int replace_table(struct change *change, const struct sl_service *old,
			 struct sl_service *entry)
{
	struct installed *installed = change->installed;
	unsigned replaced = installed->replaced;
	int error;

	/* Where every flow is tracked anyway, the old table says nothing about them. */
	if (sl_scheduler_tracks(old->scheduler))
		return publish_table(change, entry,
				     sl_scheduler_tracks(entry->scheduler) && !replaced
					     ? WRITE_FIRST
					     : WRITE_REPLACING);
	entry->replaced = installed->entry;
	error = publish_table(change, entry, WRITE_REPLACING);
	if (error)
		return error;
	installed->replaced = entry->replaced;
	limit_replaced(change->datapath, installed->replaced);
	return 0;
}

int apply_slots(struct change *change)
{
	struct installed *installed = change->installed;
	struct sl_service entry = entry_of(change), old;
	int error = 0;

	if (!installed->entry)
		return publish_table(change, &entry, WRITE_FIRST);
	old = change->datapath->maps.services[installed->entry];
	if (old.table_size != entry.table_size || old.scheduler != entry.scheduler)
		return replace_table(change, &old, &entry);

	entry.table = old.table;
	if ((old.flags ^ entry.flags) & SL_SERVICE_TRACKED)
		error = track_all_slots(change, &old);
	if (!error)
		error = write_slots(change, old.table,
				    sl_scheduler_tracks(entry.scheduler) ? WRITE_PLAIN
									 : WRITE_MOVING);
	if (!error && memcmp(&old, &entry, sizeof(old)) != 0)
		error = publish_entry(change->datapath, installed, &entry);
	return error;
}
