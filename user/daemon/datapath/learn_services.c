// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/learning.h"
#include "lib/alloc/idpool.h"
#include "sluice/slot.h"

static int learn_index(struct learning *learning, struct installed *installed, unsigned index)
{
	return index == SL_NO_BACKEND ? 0 : learning_backend(learning, installed, index);
}

static void store_slot(struct learning *learning, __u64 *slot, __u64 word)
{
	learning->n_removed++;
	__atomic_store_n(slot, word, __ATOMIC_RELEASE);
}

/* How long a transition has gone on already is not known: it starts anew. */
static int learn_slot(struct learning *learning, struct installed *installed, unsigned position)
{
	const struct maps *maps = &learning->datapath->maps;
	const struct sl_service *service = &maps->services[installed->entry];
	__u64 *slot = &maps->slots[service->table + position];
	unsigned current = sl_slot_current(*slot), previous = sl_slot_previous(*slot);
	__u64 marks = *slot & (SL_SLOT_TRACKING | SL_SLOT_FRESH);
	int stray = learn_index(learning, installed, current), error;

	if (stray < 0)
		return stray;
	if (stray)
		store_slot(learning, slot, sl_slot(SL_NO_BACKEND, previous, marks));
	if (!(marks & SL_SLOT_TRACKING))
		return 0;
	stray = learn_index(learning, installed, previous);
	if (stray < 0)
		return stray;
	if (stray)
		store_slot(learning, slot, sl_slot(sl_slot_current(*slot), SL_NO_BACKEND, marks));
	error = transition_begin(&installed->transition, service->table_size);
	if (error)
		return error;
	installed->transition.changed[position] = clock_second();
	installed->transition.n_tracking++;
	return 0;
}

/* Learns the backend that a replaced table's slot leads to, or clears the slot if that
 * backend no longer serves.
 */
static int learn_replaced_slot(struct learning *learning, struct installed *installed, __u64 *slot)
{
	const struct maps *maps = &learning->datapath->maps;
	bool tracking = *slot & SL_SLOT_TRACKING;
	unsigned index = tracking ? sl_slot_previous(*slot) : sl_slot_current(*slot);
	int stray = 1;

	/* Goes by the table before. */
	if (tracking && index == SL_NO_BACKEND)
		return 0;
	if (index < maps->map[MAP_BACKENDS].entries &&
	    maps->backends[index].state & SL_BACKEND_SERVES)
		stray = learn_index(learning, installed, index);
	if (stray > 0)
		__atomic_store_n(slot, sl_slot(SL_NO_BACKEND, SL_NO_BACKEND, 0), __ATOMIC_RELEASE);
	return stray < 0 ? stray : 0;
}

static int learn_replaced_table(struct learning *learning, struct installed *installed,
				unsigned entry)
{
	const struct maps *maps = &learning->datapath->maps;
	const struct sl_service *service = &maps->services[entry];
	int error = 0;

	for (unsigned i = 0; !error && i < service->table_size; i++)
		error = learn_replaced_slot(learning, installed, &maps->slots[service->table + i]);
	return error;
}

/* Follows the replaced entries up to one that cannot be claimed, as in a circle. */
static int learn_replaced(struct learning *learning, struct installed *installed)
{
	struct datapath *datapath = learning->datapath;
	struct sl_service *services = datapath->maps.services;
	unsigned entry = installed->entry;
	int error = 0;

	while (!error && services[entry].replaced) {
		if (tables_claim(&datapath->tables, services[entry].replaced)) {
			learning->n_removed++;
			__atomic_store_n(&services[entry].replaced, 0, __ATOMIC_RELEASE);
			break;
		}
		entry = services[entry].replaced;
		error = learn_replaced_table(learning, installed, entry);
	}
	installed->replaced = services[installed->entry].replaced;
	return error;
}

/* The responder, the limits and the list that an entry names. */
static int learn_named(struct learning *learning, struct installed *installed)
{
	struct datapath *datapath = learning->datapath;
	struct sl_service *entry = &datapath->maps.services[installed->entry];
	int stray = learn_index(learning, installed, entry->responder);

	if (blocks_learn(&datapath->blocks, entry)) {
		learning->n_removed++;
		__atomic_store_n(&entry->n_limits, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&entry->limits, 0, __ATOMIC_RELEASE);
	}
	if (lists_learn(&datapath->lists, entry)) {
		learning->n_removed++;
		__atomic_store_n(&entry->access, 0, __ATOMIC_RELEASE);
	}
	if (stray > 0) {
		learning->n_removed++;
		__atomic_store_n(&entry->responder, SL_NO_BACKEND, __ATOMIC_RELEASE);
	}
	return stray < 0 ? stray : 0;
}

/* 1: no packet finds this entry by the key that it bears, or another one has its place. */
static int claim_entry(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_service *service;

	if (tables_claim(&datapath->tables, entry))
		return 1;
	service = &datapath->maps.services[entry];
	if (directory_find(&datapath->tables.directory, &service->key) == entry &&
	    !idpool_claim(datapath->installed.ids, service->id))
		return 0;
	tables_retire(&datapath->tables, entry);
	return 1;
}

/* 1: the entry is no service's. */
static int learn_service(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_service *service;
	struct installed *installed;
	int error = claim_entry(learning, entry);

	if (error)
		return error;
	service = &datapath->maps.services[entry];
	installed = installed_new(&datapath->installed, &service->key, service->id);
	if (!installed)
		return -ENOMEM;
	installed->entry = entry;
	installed_track(installed, service->flags & SL_SERVICE_TRACKED, clock_second());
	error = learn_named(learning, installed);
	for (unsigned i = 0; !error && i < service->table_size; i++)
		error = learn_slot(learning, installed, i);
	return error ?: learn_replaced(learning, installed);
}

/* Makes the backend's replies known. 1: the return leads to no backend of a service. */
static int learn_return(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_return *reply = &datapath->maps.returns[entry];
	const struct sl_key key = { .addr = reply->addr,
				    .port = reply->port,
				    .proto = reply->key.proto,
				    .family = reply->key.family };
	struct installed *installed = installed_find(&datapath->installed, &key);
	struct installed_backend *backend;
	int error;

	if (!installed || installed->id != reply->service ||
	    directory_find(&datapath->backends.return_dir, &reply->key) != entry)
		return 1;
	/* Its backend may have no slot now. */
	error = learning_backend(learning, installed, reply->backend);
	if (error)
		return error;
	backend = &installed->backends[learning->owner[reply->backend].place];
	if (memcmp(&backend->key, &reply->key, sizeof(reply->key)) != 0)
		return 1;
	backend->reply = entry;
	return 0;
}

static int learn_claimed_return(struct learning *learning, unsigned entry)
{
	struct idpool *returns = learning->datapath->backends.returns;
	int error;

	if (idpool_claim(returns, entry))
		return 1;
	error = learn_return(learning, entry);
	if (error)
		idpool_retire(returns, entry);
	return error;
}

typedef int learn_entry_fn(struct learning *learning, unsigned entry);

/* Removes the words whose entry is not to be led to: learn_entry() says 1. */
static int learn_directory(struct learning *learning, struct directory *directory,
			   learn_entry_fn *learn_entry)
{
	int error = 0;

	for (unsigned i = 0; error >= 0 && i < directory->size; i++) {
		__u64 word = directory->words[i];

		if (word == SL_DIRECTORY_EMPTY || word == SL_DIRECTORY_REMOVED)
			continue;
		error = learn_entry(learning, (unsigned)word);
		if (error > 0) {
			learning->n_removed++;
			directory_remove_at(directory, i);
		}
	}
	return error < 0 ? error : 0;
}

int learn_services(struct learning *learning)
{
	struct datapath *datapath = learning->datapath;

	return learn_directory(learning, &datapath->tables.directory, learn_service)
		       ?: learn_directory(learning, &datapath->backends.return_dir,
					  learn_claimed_return);
}
