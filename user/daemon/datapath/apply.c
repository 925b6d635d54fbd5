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
#include "daemon/datapath/origins.h"
#include "daemon/datapath/peers.h"
#include "daemon/datapath/publish.h"
#include "daemon/datapath/room.h"
#include "daemon/datapath/state/counters.h"
#include "lib/alloc/idpool.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/yield.h"

/* The place of the installed backend at this address, and with the same way to it, which cannot
 * change under packets.
 */
static size_t match_backend(const struct datapath *datapath, const struct installed *installed,
			    const struct sl_key *key, enum sl_forward forward)
{
	const struct installed_backend *backend =
		installed ? installed_find_backend(installed, key) : NULL;

	for (; backend; backend = installed_next_backend(installed, backend))
		if (datapath->maps.backends[backend->index].forward == forward)
			return (size_t)(backend - installed->backends);
	return CHANGE_NEW;
}

bool datapath_has_backend(const struct datapath *datapath, const struct sl_key *service,
			  const struct sl_key *backend, enum sl_forward forward)
{
	return match_backend(datapath, installed_find(&datapath->installed, service), backend,
			     forward) != CHANGE_NEW;
}

bool datapath_shape(const struct datapath *datapath, const struct sl_key *service,
		    enum sl_scheduler *ret_scheduler, unsigned *ret_table_size)
{
	const struct installed *installed = installed_find(&datapath->installed, service);
	const struct sl_service *entry;

	if (!installed || !installed->entry)
		return false;
	entry = publish_entry_of(datapath, installed);
	*ret_scheduler = entry->scheduler;
	*ret_table_size = entry->table_size;
	return true;
}

unsigned datapath_backend_room(const struct datapath *datapath)
{
	unsigned indices = idpool_available(datapath->backends.indices);
	unsigned returns = idpool_available(datapath->backends.returns);

	return indices < returns ? indices : returns;
}

bool datapath_gains_room(const struct datapath *datapath)
{
	return datapath->grace.n_dropped != 0;
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
	if (planned->resolved)
		origins_put(&datapath->maps.origins[backend->index], planned->origins);
	state = (entry->state & (SL_BACKEND_HOP | SL_BACKEND_ASKED)) |
		(planned->serves && backend->hop_known ? SL_BACKEND_SERVES : 0) |
		(planned->member ? SL_BACKEND_NEW : 0) |
		(planned->responder ? SL_BACKEND_RESPONDER : 0);
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
	__atomic_store_n(&datapath->maps.loads[backend->index].weight,
			 planned->weight ? planned->weight : 1, __ATOMIC_RELEASE);
	return 0;
}

/* Adds the backend, or makes sure that the replies of the one that is there are known. */
static int apply_backend(struct change *change, size_t i)
{
	struct backends *backends = &change->datapath->backends;
	const struct plan_backend *planned = &change->plan->backends[i];
	struct installed *installed = change->installed;
	struct installed_backend *backend;
	int error;

	if (change->places[i] == CHANGE_NEW) {
		error = backends_add(backends, installed, planned);
		backend = &installed->backends[installed->n_backends - 1];
	} else {
		backend = &installed->backends[change->places[i]];
		error = backends_keep_reply(backends, installed, planned, backend);
	}
	if (error)
		return error;
	backend->wanted = true;
	change->indices[i] = backend->index;
	return apply_state(change->datapath, backend, planned);
}

static int apply_backends(struct change *change)
{
	struct installed *installed = change->installed;
	int error = 0;

	for (size_t i = 0; i < installed->n_backends; i++) {
		installed->backends[i].wanted = false;
		change->states_before[i] =
			change->datapath->maps.backends[installed->backends[i].index].state;
	}
	for (size_t i = 0; !error && i < change->plan->n_backends; i++) {
		error = apply_backend(change, i);
		yield_point();
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

/* Drops the backends from `first` on that are not wanted. Others find each in its place until all
 * have gone.
 */
static void drop_backends(struct change *change, size_t first)
{
	struct installed *installed = change->installed;
	size_t kept = first;

	for (size_t i = first; i < installed->n_backends; i++) {
		if (installed->backends[i].wanted)
			continue;
		peers_drop(change->datapath, installed->id, &installed->backends[i]);
		backends_drop(&change->datapath->backends, &installed->backends[i]);
		yield_point();
	}
	for (size_t i = first; i < installed->n_backends; i++)
		if (installed->backends[i].wanted)
			installed->backends[kept++] = installed->backends[i];
	if (kept == installed->n_backends)
		return;
	installed->n_backends = kept;
	installed_find_places(installed);
}

static void undo(struct change *change)
{
	struct installed *installed = change->installed;

	for (size_t i = 0; i < change->n_before; i++) {
		struct sl_backend *entry =
			&change->datapath->maps.backends[installed->backends[i].index];

		__atomic_store_n(&entry->state,
				 (entry->state & SL_BACKEND_HOP) |
					 (change->states_before[i] & ~SL_BACKEND_HOP),
				 __ATOMIC_RELEASE);
	}
	for (size_t i = change->n_before; i < installed->n_backends; i++)
		installed->backends[i].wanted = false;
	drop_backends(change, change->n_before);
	if (!installed->entry)
		publish_removal(change->datapath, installed);
}

static int make_installed(struct change *change)
{
	struct datapath *datapath = change->datapath;
	struct installed_set *set = &datapath->installed;
	unsigned id = grace_take(&datapath->grace, set->ids);

	if (!id)
		return -ENOSPC;
	counters_reset(&datapath->maps.map[MAP_SERVICE_STAT], id);
	change->installed = installed_new(set, &change->plan->key, id);
	if (change->installed)
		return 0;
	idpool_give(set->ids, id);
	return -ENOMEM;
}

/* Writes a change that there is room for. All or nothing. */
static int write_change(struct change *change)
{
	int error = change->installed ? 0 : make_installed(change);

	if (error)
		return error;
	error = apply_backends(change);
	if (!error) {
		retire_states(change);
		error = peers_put(change->datapath, change->installed->id, change->plan,
				  change->indices)
				?: apply_slots(change);
	}
	if (error) {
		undo(change);
		return error;
	}
	tables_purge_replaced(&change->datapath->tables, change->installed->replaced);
	drop_backends(change, 0);
	change->installed->claimed = true;
	return 0;
}

int datapath_apply(struct datapath *datapath, const struct plan *plan, struct diag *diag)
{
	struct installed *installed = installed_find(&datapath->installed, &plan->key);
	size_t n_before = installed ? installed->n_backends : 0;
	_cleanup_(cleanup_free) unsigned *indices = calloc(plan->n_backends + 1, sizeof(*indices));
	_cleanup_(cleanup_free) size_t *places = calloc(plan->n_backends + 1, sizeof(*places));
	_cleanup_(cleanup_free) __u32 *states = calloc(n_before + 1, sizeof(*states));
	struct change change = {
		.datapath = datapath,
		.plan = plan,
		.installed = installed,
		.n_before = n_before,
		.states_before = states,
		.places = places,
		.indices = indices,
	};
	int error;

	if (!indices || !places || !states)
		return diag_no_memory(diag);
	for (size_t i = 0; i < plan->n_backends; i++) {
		places[i] = match_backend(datapath, installed, &plan->backends[i].key,
					  plan->backends[i].forward);
		yield_point();
	}
	error = room_check(&change, diag);
	if (error)
		return error;
	error = write_change(&change);
	return error ? diag_set(diag, -error, "the maps have no room for it: %s", strerror(-error))
		     : 0;
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
		yield_point();
	}
}

unsigned long datapath_count_services(const struct datapath *datapath)
{
	return datapath->installed.by_key.count;
}

unsigned datapath_backend_state(const struct datapath *datapath, const struct sl_key *service,
				const struct sl_key *backend)
{
	const struct installed *installed = installed_find(&datapath->installed, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;

	return found ? datapath->maps.backends[found->index].state : 0;
}
