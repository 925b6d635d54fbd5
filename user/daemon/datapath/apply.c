// SPDX-License-Identifier: BSD-2-Clause
/* Order: new backends, then the slots that lead to them, then the service's entry, last the
 * removal of backends that no slot leads to any more. Each step leaves packets a whole
 * picture.
 */
#include "daemon/datapath/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/apply_slots.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/publish.h"
#include "daemon/datapath/state/counters.h"
#include "lib/alloc/idpool.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

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
		    change->datapath->maps.backends[backend->index].forward == planned->forward)
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
	if (backend->hop_known && backend->epoch == datapath->grace.epoch) {
		error = grace_wait(&datapath->grace);
		if (error)
			return error;
	}
	entry->hops[!used] = *hop;
	__atomic_store_n(&entry->state, entry->state ^ SL_BACKEND_HOP, __ATOMIC_RELEASE);
	backend->hop_known = true;
	backend->epoch = datapath->grace.epoch;
	return 0;
}

/* Writes the hop first, then whether the backend serves: no packet is sent to one that no
 * way leads to.
 */
static int apply_state(struct datapath *datapath, struct installed_backend *backend,
		       const struct plan_backend *planned)
{
	struct sl_backend *entry = &datapath->maps.backends[backend->index];
	int error = planned->resolved ? switch_hop(datapath, backend, &planned->hop) : 0;
	__u32 state;

	if (error)
		return error;
	state = (entry->state & SL_BACKEND_HOP) |
		(planned->serves && backend->hop_known ? SL_BACKEND_SERVES : 0) |
		(planned->member ? SL_BACKEND_NEW : 0) |
		(planned->responder ? SL_BACKEND_RESPONDER : 0);
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

		if (backend) {
			error = backends_keep_reply(&change->datapath->backends, change->installed,
						    planned, backend);
		} else {
			error = backends_add(&change->datapath->backends, change->installed,
					     planned);
			backend = &change->installed->backends[change->installed->n_backends - 1];
		}
		if (!error) {
			backend->wanted = true;
			change->indices[i] = backend->index;
			error = apply_state(change->datapath, backend, planned);
		}
	}
	return error;
}

/* A backend that goes protects no connections: its state says so before the slots are
 * written, which ask for it.
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

/* Drops the backends from `first` on that are not wanted. */
static void drop_backends(struct change *change, size_t first)
{
	struct installed *installed = change->installed;
	size_t kept = first;

	for (size_t i = first; i < installed->n_backends; i++) {
		if (installed->backends[i].wanted)
			installed->backends[kept++] = installed->backends[i];
		else
			backends_drop(&change->datapath->backends, &installed->backends[i]);
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
		publish_removal(change->datapath, installed);
}

static struct installed *find_or_make(struct datapath *datapath, const struct sl_key *key)
{
	struct installed_set *set = &datapath->installed;
	struct installed *installed = installed_find(set, key);
	unsigned id;

	if (installed)
		return installed;
	id = grace_take(&datapath->grace, set->ids);
	if (!id)
		return NULL;
	counters_reset(&datapath->maps.map[MAP_SERVICE_STAT], id);
	installed = installed_new(set, key, id);
	if (!installed)
		idpool_give(set->ids, id);
	return installed;
}

int datapath_apply(struct datapath *datapath, const struct plan *plan, struct diag *diag)
{
	_cleanup_(cleanup_free) unsigned *indices = calloc(plan->n_backends + 1, sizeof(*indices));
	struct change change = { .datapath = datapath, .plan = plan, .indices = indices };
	int error;

	if (!indices)
		return diag_no_memory(diag);
	change.installed = find_or_make(datapath, &plan->key);
	if (!change.installed)
		return diag_set(diag, ENOSPC, "the maps have no room for another service");
	change.n_before = change.installed->n_backends;
	error = apply_backends(&change);
	if (!error)
		retire_states(&change);
	if (!error)
		error = apply_slots(&change);
	if (error) {
		undo(&change);
		return diag_set(diag, -error, "the maps have no room for it: %s", strerror(-error));
	}
	tables_purge_replaced(&datapath->tables, change.installed->replaced);
	drop_backends(&change, 0);
	change.installed->claimed = true;
	return 0;
}

void datapath_unclaim(struct datapath *datapath)
{
	struct installed *installed = NULL;

	while ((installed = installed_next(&datapath->installed, installed)))
		installed->claimed = false;
}

void datapath_claim(struct datapath *datapath, const struct sl_key *key)
{
	struct installed *installed = installed_find(&datapath->installed, key);

	if (installed)
		installed->claimed = true;
}

void datapath_remove_unclaimed(struct datapath *datapath)
{
	struct installed *next;

	for (struct installed *i = installed_next(&datapath->installed, NULL); i; i = next) {
		next = installed_next(&datapath->installed, i);
		if (!i->claimed)
			publish_removal(datapath, i);
	}
}

unsigned datapath_backend_state(const struct datapath *datapath, const struct sl_key *service,
				const struct sl_key *backend)
{
	const struct installed *installed = installed_find(&datapath->installed, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;

	return found ? datapath->maps.backends[found->index].state : 0;
}
