// SPDX-License-Identifier: BSD-2-Clause
/* Writes what a plan wants and the maps do not hold yet. Order: new backends,
 * then the slots that lead to them, then the service's entry, last what nothing
 * leads to any more. Each step leaves packets a whole picture.
 */
#include "daemon/datapath/datapath.h"

#include <errno.h>
#include <string.h>

#include "daemon/datapath/change.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/slot.h"

/* nat: makes the backend's replies known. */
static int add_reply(const struct change *change, struct installed_backend *backend)
{
	struct datapath *datapath = change->datapath;
	const struct plan *plan = change->plan;
	int error;

	backend->reply = take_index(datapath, datapath->returns);
	if (!backend->reply)
		return -ENOSPC;
	datapath->maps.returns[backend->reply] = (struct sl_return){
		.key = backend->key,
		.addr = plan->key.addr,
		.port = plan->key.port,
		.backend = backend->index,
		.service = change->installed->id,
	};
	error = directory_put(&datapath->return_dir, &backend->key, backend->reply);
	if (error)
		idpool_give(datapath->returns, backend->reply);
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
		.forward = (__u8)planned->forward,
	};
	datapath->maps.loads[backend.index] = (struct sl_load){ .weight = 1 };
	stats_reset(datapath, MAP_BACKEND_STAT, backend.index);
	/* The responder's replies come through here too, whatever the service's do. */
	if (planned->forward == SL_FORWARD_NAT || planned->responder)
		error = add_reply(change, &backend);
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

		if (!backend) {
			error = add_backend(change, planned);
			backend = error ? NULL
					: &change->installed
						   ->backends[change->installed->n_backends - 1];
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
		return diag_no_memory(diag);
	change.installed = find_or_make(datapath, &plan->key);
	if (!change.installed)
		return diag_set(diag, ENOSPC, "the maps have no room for another service");
	change.n_before = change.installed->n_backends;
	error = apply_backends(&change);
	if (!error)
		retire_states(&change);
	if (!error)
		error = change_apply_service(&change);
	if (error) {
		undo(&change);
		return diag_set(diag, -error, "the maps have no room for it: %s", strerror(-error));
	}
	installed_purge_replaced(datapath, change.installed);
	drop_backends(&change, 0);
	change.installed->claimed = true;
	return 0;
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

unsigned datapath_backend_state(const struct datapath *datapath, const struct sl_key *service,
				const struct sl_key *backend)
{
	const struct installed *installed = installed_find(datapath, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;

	return found ? datapath->maps.backends[found->index].state : 0;
}
