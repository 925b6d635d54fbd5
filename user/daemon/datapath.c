// SPDX-License-Identifier: BSD-2-Clause
/* Writes what a plan wants and the maps do not hold yet. Order: new backends,
 * then the slots that lead to them, then the service's entry, last what nothing
 * leads to any more. Each step leaves packets a whole picture.
 */
#include "daemon/datapath.h"

#include <errno.h>
#include <string.h>

#include "daemon/datapath_internal.h"
#include "lib/cleanup.h"
#include "lib/diag.h"
#include "lib/plan.h"
#include "lib/slot.h"

/* One datapath_apply(). */
struct change {
	struct datapath *datapath;
	const struct plan *plan;
	struct installed *installed;
	size_t n_before; /* backends that installed had */
	unsigned *indices; /* in sl_backends, of plan->backends */
};

static int take_slots(struct datapath *datapath, unsigned length, unsigned *ret_start)
{
	int error = extents_take(datapath->slots, length, ret_start);

	if (error != -ENOSPC || datapath_wait(datapath))
		return error;
	return extents_take(datapath->slots, length, ret_start);
}

/* nat: makes the backend's answers known. */
static int add_answer(const struct change *change, struct installed_backend *backend)
{
	struct datapath *datapath = change->datapath;
	const struct plan *plan = change->plan;
	int error;

	backend->answer = take_index(datapath, datapath->returns);
	if (!backend->answer)
		return -ENOSPC;
	datapath->maps.returns[backend->answer] = (struct sl_return){
		.key = backend->key,
		.addr = plan->key.addr,
		.port = plan->key.port,
		.backend = backend->index,
		.service = change->installed->id,
	};
	error = directory_put(&datapath->return_dir, &backend->key, backend->answer);
	if (error)
		idpool_give(datapath->returns, backend->answer);
	return error;
}

static int add_backend(struct change *change, const struct plan_backend *planned)
{
	struct datapath *datapath = change->datapath;
	struct installed_backend backend = {
		.key = planned->key,
		.index = take_index(datapath, datapath->backends),
		.epoch = datapath->epoch,
	};
	int error = 0;

	if (!backend.index)
		return -ENOSPC;
	datapath->maps.backends[backend.index] = (struct sl_backend){
		.addr = planned->key.addr,
		.port = planned->key.port,
		.family = planned->key.family,
		.forward = (__u8)change->plan->forward,
	};
	datapath->maps.loads[backend.index] = (struct sl_load){ .weight = 1 };
	stats_reset(datapath, MAP_BACKEND_STAT, backend.index);
	if (change->plan->forward == SL_FORWARD_NAT)
		error = add_answer(change, &backend);
	if (!error)
		error = installed_add_backend(change->installed, &backend);
	if (error)
		idpool_give(datapath->backends, backend.index);
	return error;
}

/* The installed backend that serves for the planned one: the same place, and
 * the same way to it, which cannot change under packets.
 */
static struct installed_backend *match_backend(const struct change *change,
					       const struct plan_backend *planned)
{
	const struct installed *installed = change->installed;

	for (size_t i = 0; i < installed->n_backends; i++) {
		struct installed_backend *backend = &installed->backends[i];

		if (!memcmp(&backend->key, &planned->key, sizeof(planned->key)) &&
		    change->datapath->maps.backends[backend->index].forward ==
			    change->plan->forward)
			return backend;
	}
	return NULL;
}

/* Switches the backend to another hop: the copy not in use is written, then
 * the word that says which one is.
 */
static int switch_hop(struct datapath *datapath, struct installed_backend *backend,
		      const struct sl_hop *hop)
{
	struct sl_backend *entry = &datapath->maps.backends[backend->index];
	unsigned used = entry->state & SL_BACKEND_HOP;
	int error;

	if (backend->hop_known && !memcmp(&entry->hops[used], hop, sizeof(*hop)))
		return 0;
	if (backend->hop_known && backend->epoch == datapath->epoch) {
		error = datapath_wait(datapath);
		if (error)
			return error;
	}
	entry->hops[!used] = *hop;
	__atomic_store_n(&entry->state, entry->state ^ SL_BACKEND_HOP, __ATOMIC_RELEASE);
	backend->hop_known = true;
	backend->epoch = datapath->epoch;
	return 0;
}

/* Hop first, then what it is good for: nobody is sent where no way leads. */
static int apply_state(struct datapath *datapath, struct installed_backend *backend,
		       const struct plan_backend *planned)
{
	struct sl_backend *entry = &datapath->maps.backends[backend->index];
	int error = planned->resolved ? switch_hop(datapath, backend, &planned->hop) : 0;
	__u32 state;

	if (error)
		return error;
	state = (entry->state & SL_BACKEND_HOP) | (planned->serves ? SL_BACKEND_SERVES : 0) |
		(planned->member ? SL_BACKEND_NEW : 0);
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
	__atomic_store_n(&datapath->maps.loads[backend->index].weight,
			 planned->weight ? planned->weight : 1, __ATOMIC_RELEASE);
	return 0;
}

static int apply_backends(struct change *change)
{
	const struct plan *plan = change->plan;
	int error = 0;

	for (size_t i = 0; i < change->installed->n_backends; i++)
		change->installed->backends[i].wanted = false;
	for (size_t i = 0; !error && i < plan->n_backends; i++) {
		const struct plan_backend *planned = &plan->backends[i];
		struct installed_backend *backend = match_backend(change, planned);

		if (!backend) {
			error = add_backend(change, planned);
			backend = error ? NULL :
					  &change->installed->backends[change->installed->n_backends - 1];
		}
		if (backend) {
			backend->wanted = true;
			change->indices[i] = backend->index;
			error = apply_state(change->datapath, backend, planned);
		}
	}
	return error;
}

/* A backend that goes protects nobody: said before the slots are written, which
 * ask for it.
 */
static void retire_states(const struct change *change)
{
	for (size_t i = 0; i < change->installed->n_backends; i++) {
		const struct installed_backend *backend = &change->installed->backends[i];
		struct sl_backend *entry = &change->datapath->maps.backends[backend->index];

		if (!backend->wanted)
			__atomic_store_n(&entry->state, entry->state & SL_BACKEND_HOP,
					 __ATOMIC_RELEASE);
	}
}

/* What a service's slots are written for. */
enum writing {
	WRITE_FIRST, /* a table that nobody has used: there are no connections */
	WRITE_REPLACING, /* a table instead of another: older connections go by that one */
	WRITE_MOVING, /* slots that flows hash to: those that change go into transition */
	WRITE_PLAIN, /* all flows are tracked: slots are for new connections alone */
};

static bool index_serves(const void *arg, unsigned index)
{
	const struct datapath *datapath = arg;

	return datapath->maps.backends[index].state & SL_BACKEND_SERVES;
}

static uint64_t next_word(const struct change *change, uint64_t slot, unsigned next,
			  enum writing writing)
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

/* Each slot is one word: a packet sees the old backend or the new one. */
static int write_slots(const struct change *change, unsigned table, enum writing writing)
{
	const struct plan *plan = change->plan;
	struct installed *installed = change->installed;
	uint64_t *slots = change->datapath->maps.slots + table;
	unsigned now = datapath_now();

	for (unsigned i = 0; i < plan->table_size; i++) {
		unsigned next = plan->table[i] == PLAN_NO_BACKEND ? SL_NO_BACKEND :
								    change->indices[plan->table[i]];
		uint64_t word = next_word(change, slots[i], next, writing);
		bool tracked = writing != WRITE_FIRST && writing != WRITE_REPLACING &&
			       (slots[i] & SL_SLOT_TRACKING);

		if (word & SL_SLOT_TRACKING) {
			if (transition_begin(installed, plan->table_size))
				return -ENOMEM;
			if (!tracked || sl_slot_current(word) != sl_slot_current(slots[i]))
				installed->changed[i] = now;
			installed->n_tracking += !tracked;
		}
		if (slots[i] != word)
			__atomic_store_n(&slots[i], word, __ATOMIC_RELEASE);
	}
	return 0;
}

static bool is_hashed(enum sl_scheduler scheduler)
{
	return scheduler == SL_SCHEDULER_MAGLEV || scheduler == SL_SCHEDULER_SOURCE_HASH;
}

/* Publishes the service with a table of its own, the first one or another. */
static int publish_table(struct change *change, struct sl_service *entry, enum writing writing)
{
	struct installed *installed = change->installed;
	int error = take_slots(change->datapath, entry->table_size, &entry->table);

	if (error)
		return error;
	transition_end(installed);
	error = write_slots(change, entry->table, writing);
	if (!error)
		error = installed_publish(change->datapath, installed, entry);
	if (error)
		extents_give(change->datapath->slots, entry->table);
	return error;
}

/* From a service that tracks every flow to one that does not: flows may be
 * pinned to other backends than their slots say, so all slots are looked up
 * until they settle.
 */
static int track_all_slots(struct change *change, const struct sl_service *old)
{
	struct installed *installed = change->installed;
	uint64_t *slots = change->datapath->maps.slots + old->table;

	for (unsigned i = 0; i < old->table_size; i++) {
		if (slots[i] & SL_SLOT_TRACKING)
			continue;
		if (transition_begin(installed, old->table_size))
			return -ENOMEM;
		installed->changed[i] = datapath_now();
		installed->n_tracking++;
		__atomic_store_n(&slots[i],
				 sl_slot(sl_slot_current(slots[i]), sl_slot_current(slots[i]),
					 SL_SLOT_TRACKING | SL_SLOT_FRESH),
				 __ATOMIC_RELEASE);
	}
	return 0;
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
		.affinity_timeout = coarse_timeout(plan->affinity_ms),
		.limit = plan->limit,
		.replaced = change->installed->replaced,
	};
}

/* Another table: of another size, or for another scheduler. */
static int replace_table(struct change *change, const struct sl_service *old,
			 struct sl_service *entry)
{
	struct installed *installed = change->installed;
	unsigned replaced = installed->replaced;
	int error;

	/* Where every flow is tracked anyway, the old table has nothing to tell. */
	if (!is_hashed(old->scheduler))
		return publish_table(change, entry,
				     is_hashed(entry->scheduler) || replaced ? WRITE_REPLACING :
									       WRITE_FIRST);
	entry->replaced = installed->entry;
	error = publish_table(change, entry, WRITE_REPLACING);
	if (error)
		return error;
	installed->replaced = entry->replaced;
	if (replaced)
		installed_retire_entry(change->datapath, replaced);
	return 0;
}

static int apply_service(struct change *change)
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
	if (old.flags & SL_SERVICE_TRACKED & ~entry.flags)
		error = track_all_slots(change, &old);
	if (!error)
		error = write_slots(change, old.table,
				    is_hashed(entry.scheduler) ? WRITE_MOVING : WRITE_PLAIN);
	if (!error && memcmp(&old, &entry, sizeof(old)) != 0)
		error = installed_publish(change->datapath, installed, &entry);
	return error;
}

/* Drops the backends from `first` on that are not wanted. */
static void drop_backends(struct change *change, size_t first)
{
	struct installed *installed = change->installed;
	size_t kept = first;

	for (size_t i = first; i < installed->n_backends; i++) {
		if (installed->backends[i].wanted)
			installed->backends[kept++] = installed->backends[i];
		else
			installed_drop_backend(change->datapath, &installed->backends[i]);
	}
	installed->n_backends = kept;
}

static void undo(struct change *change)
{
	struct installed *installed = change->installed;

	for (size_t i = change->n_before; i < installed->n_backends; i++)
		installed->backends[i].wanted = false;
	drop_backends(change, change->n_before);
	if (!installed->entry)
		installed_remove(change->datapath, installed);
}

static struct installed *find_or_make(struct datapath *datapath, const struct sl_key *key)
{
	struct installed *installed = installed_find(datapath, key);
	unsigned id;

	if (installed)
		return installed;
	id = take_index(datapath, datapath->services);
	if (!id)
		return NULL;
	stats_reset(datapath, MAP_SERVICE_STAT, id);
	installed = installed_new(datapath, key, id);
	if (!installed)
		idpool_give(datapath->services, id);
	return installed;
}

int datapath_apply(struct datapath *datapath, const struct plan *plan, struct diag *diag)
{
	_cleanup_(cleanup_free) unsigned *indices = calloc(plan->n_backends + 1, sizeof(*indices));
	struct change change = { .datapath = datapath, .plan = plan, .indices = indices };
	int error;

	if (!indices)
		return diag_set(diag, ENOMEM, "no memory");
	change.installed = find_or_make(datapath, &plan->key);
	if (!change.installed)
		return diag_set(diag, ENOSPC, "the maps have no room for another service");
	change.n_before = change.installed->n_backends;
	error = apply_backends(&change);
	if (!error)
		retire_states(&change);
	if (!error)
		error = apply_service(&change);
	if (error) {
		undo(&change);
		return diag_set(diag, -error, "the maps have no room for it: %s",
				strerror(-error));
	}
	installed_purge_replaced(datapath, change.installed);
	drop_backends(&change, 0);
	change.installed->claimed = true;
	return 0;
}

void datapath_remove(struct datapath *datapath, const struct sl_key *key)
{
	struct installed *installed = installed_find(datapath, key);

	if (installed)
		installed_remove(datapath, installed);
}

void datapath_unclaim(struct datapath *datapath)
{
	struct hash_node *node = NULL;

	while ((node = hashtable_next(&datapath->installed, node)))
		HASH_ENTRY(node, struct installed, node)->claimed = false;
}

void datapath_claim(struct datapath *datapath, const struct sl_key *key)
{
	struct installed *installed = installed_find(datapath, key);

	if (installed)
		installed->claimed = true;
}

void datapath_remove_unclaimed(struct datapath *datapath)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&datapath->installed, NULL); node; node = next) {
		struct installed *installed = HASH_ENTRY(node, struct installed, node);

		next = hashtable_next(&datapath->installed, node);
		if (!installed->claimed)
			installed_remove(datapath, installed);
	}
}

bool datapath_serves(const struct datapath *datapath, const struct sl_key *service,
		     const struct sl_key *backend)
{
	const struct installed *installed = installed_find(datapath, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;
	const struct sl_service *entry;

	if (!found || !installed->entry)
		return false;
	entry = &datapath->maps.services[installed->entry];
	for (unsigned i = 0; i < entry->table_size; i++)
		if (sl_slot_current(datapath->maps.slots[entry->table + i]) == found->index)
			return true;
	return false;
}
