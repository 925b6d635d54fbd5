// SPDX-License-Identifier: BSD-2-Clause
/* What maps hold that a predecessor has left, learned from the maps themselves. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath_internal.h"
#include "lib/cleanup.h"
#include "lib/diag.h"
#include "sluice/slot.h"

/* Which service each backend index belongs to while learning. */
struct learning {
	struct datapath *datapath;
	struct installed **owner; /* by index of sl_backends */
};

static int learn_backend(struct learning *learning, struct installed *installed, unsigned index)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_backend *backend = &datapath->maps.backends[index];
	struct installed_backend learned = {
		.key = {
			.addr = backend->addr,
			.port = backend->port,
			.proto = installed->key.proto,
			.family = backend->family,
		},
		.index = index,
		.hop_known = backend->hops[backend->state & SL_BACKEND_HOP].ifindex != 0,
	};

	if (learning->owner[index] == installed)
		return 0;
	if (learning->owner[index] || idpool_claim(datapath->backends, index))
		return -EPROTO;
	learning->owner[index] = installed;
	return installed_add_backend(installed, &learned);
}

static int learn_index(struct learning *learning, struct installed *installed, unsigned index)
{
	if (index >= learning->datapath->maps.map[MAP_BACKENDS].entries)
		return -EPROTO;
	return index == SL_NO_BACKEND ? 0 : learn_backend(learning, installed, index);
}

/* How long a transition has gone on already is not known: it starts anew. */
static int learn_slot(struct learning *learning, struct installed *installed, unsigned position)
{
	const struct maps *maps = &learning->datapath->maps;
	const struct sl_service *service = &maps->services[installed->entry];
	uint64_t slot = maps->slots[service->table + position];
	int error = learn_index(learning, installed, sl_slot_current(slot));

	if (error || !(slot & SL_SLOT_TRACKING))
		return error;
	error = learn_index(learning, installed, sl_slot_previous(slot))
	     ?: transition_begin(installed, service->table_size);
	if (error)
		return error;
	installed->changed[position] = datapath_now();
	installed->n_tracking++;
	return 0;
}

/* Backends that only the replaced table leads to are not learned: there is
 * nothing to be known of them but that they once were.
 */
static int learn_replaced(struct learning *learning, struct installed *installed, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_service *service;

	if (entry >= datapath->maps.map[MAP_SERVICES].entries ||
	    idpool_claim(datapath->entries, entry))
		return -EPROTO;
	service = &datapath->maps.services[entry];
	installed->replaced = entry;
	return extents_claim(datapath->slots, service->table, service->table_size) ? -EPROTO : 0;
}

static int learn_service(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct map *map = datapath->maps.map;
	const struct sl_service *service;
	struct installed *installed;
	int error = 0;

	if (entry >= map[MAP_SERVICES].entries)
		return -EPROTO;
	service = &datapath->maps.services[entry];
	if (idpool_claim(datapath->entries, entry) ||
	    idpool_claim(datapath->services, service->id) ||
	    extents_claim(datapath->slots, service->table, service->table_size))
		return -EPROTO;
	installed = installed_new(datapath, &service->key, service->id);
	if (!installed)
		return -ENOMEM;
	installed->entry = entry;
	for (unsigned i = 0; !error && i < service->table_size; i++)
		error = learn_slot(learning, installed, i);
	if (!error && service->replaced)
		error = learn_replaced(learning, installed, service->replaced);
	return error;
}

/* A return names its backend and service; its backend may have no slot now. */
static int learn_return(struct learning *learning, unsigned entry)
{
	struct datapath *datapath = learning->datapath;
	const struct map *map = datapath->maps.map;
	const struct sl_return *answer;
	struct sl_key key;
	struct installed *installed;
	struct installed_backend *backend;
	int error;

	if (entry >= map[MAP_RETURNS].entries || idpool_claim(datapath->returns, entry))
		return -EPROTO;
	answer = &datapath->maps.returns[entry];
	key = (struct sl_key){ .addr = answer->addr,
			       .port = answer->port,
			       .proto = answer->key.proto,
			       .family = answer->key.family };
	installed = installed_find(datapath, &key);
	if (!installed || answer->backend >= map[MAP_BACKENDS].entries)
		return -EPROTO;
	error = learn_backend(learning, installed, answer->backend);
	backend = installed_find_backend(installed, &answer->key);
	if (backend)
		backend->answer = entry;
	return error;
}

int datapath_learn(struct datapath *datapath, struct diag *diag)
{
	_cleanup_(cleanup_free) struct installed **owner =
		calloc(datapath->maps.map[MAP_BACKENDS].entries, sizeof(*owner));
	struct learning learning = { .datapath = datapath, .owner = owner };
	int error = owner ? 0 : -ENOMEM;

	for (unsigned i = 0; !error && i < datapath->directory.size; i++) {
		uint64_t word = datapath->directory.words[i];

		if (word != SL_DIRECTORY_EMPTY && word != SL_DIRECTORY_REMOVED)
			error = learn_service(&learning, (unsigned)word);
	}
	for (unsigned i = 0; !error && i < datapath->return_dir.size; i++) {
		uint64_t word = datapath->return_dir.words[i];

		if (word != SL_DIRECTORY_EMPTY && word != SL_DIRECTORY_REMOVED)
			error = learn_return(&learning, (unsigned)word);
	}
	return error ? diag_set(diag, -error, "its maps contradict themselves") : 0;
}
