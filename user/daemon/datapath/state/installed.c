// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/installed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/state/grace.h"
#include "lib/alloc/idpool.h"
#include "lib/base/cleanup.h"

int installed_init(struct installed_set *set, unsigned n_ids, struct grace *grace)
{
	set->n_ids = n_ids;
	set->by_id = calloc(n_ids, sizeof(struct installed *));
	if (!set->by_id || idpool_new(n_ids, &set->ids))
		return -ENOMEM;
	grace_watch_pool(grace, set->ids);
	return 0;
}

static uint64_t hash_key(const struct sl_key *key)
{
	return hash_bytes(key, sizeof(*key), 0);
}

static bool equal_key(const struct hash_node *node, const void *key)
{
	const struct installed *installed = HASH_ENTRY(node, const struct installed, node);

	return !memcmp(&installed->key, key, sizeof(installed->key));
}

struct installed *installed_find(const struct installed_set *set, const struct sl_key *key)
{
	struct hash_node *node = hashtable_find(&set->by_key, hash_key(key), key, equal_key);

	return node ? HASH_ENTRY(node, struct installed, node) : NULL;
}

struct installed *installed_next(const struct installed_set *set, const struct installed *previous)
{
	struct hash_node *node = hashtable_next(&set->by_key, previous ? &previous->node : NULL);

	return node ? HASH_ENTRY(node, struct installed, node) : NULL;
}

struct installed *installed_new(struct installed_set *set, const struct sl_key *key, unsigned id)
{
	_cleanup_(cleanup_free) struct installed *installed = calloc(1, sizeof(*installed));

	if (!installed)
		return NULL;
	installed->key = *key;
	installed->id = id;
	if (hashtable_insert(&set->by_key, &installed->node, hash_key(key)))
		return NULL;
	set->by_id[id] = installed;
	return TAKE_PTR(installed);
}

void installed_track(struct installed *installed, bool tracked, unsigned now)
{
	if (tracked && !installed->tracked)
		installed->tracked_since = now;
	installed->tracked = tracked;
}

void installed_free(struct installed_set *set, struct installed *installed)
{
	set->by_id[installed->id] = NULL;
	hashtable_remove(&set->by_key, &installed->node);
	transition_end(&installed->transition);
	free(installed->backends);
	free(installed->places);
	free(installed);
}

/* ---- backends of a service ------------------------------------------------------- */

/* Linear probing, and nothing is ever taken out: of equal keys, the first of the array is met
 * first.
 */
static unsigned *next_place(const struct installed *installed, unsigned *place)
{
	return ++place == &installed->places[installed->n_places] ? installed->places : place;
}

static unsigned *first_place(const struct installed *installed, const struct sl_key *key)
{
	return &installed->places[hash_key(key) & (installed->n_places - 1)];
}

static void put_place(const struct installed *installed, size_t i)
{
	unsigned *place = first_place(installed, &installed->backends[i].key);

	while (*place)
		place = next_place(installed, place);
	*place = (unsigned)i + 1;
}

static void put_places(const struct installed *installed)
{
	for (size_t i = 0; i < installed->n_backends; i++)
		put_place(installed, i);
}

/* The first of the array with this key from the index `first` on. */
static struct installed_backend *find_from(const struct installed *installed,
					   const struct sl_key *key, size_t first)
{
	unsigned *place;

	if (!installed->n_places)
		return NULL;
	for (place = first_place(installed, key); *place; place = next_place(installed, place)) {
		struct installed_backend *backend = &installed->backends[*place - 1];

		if (*place > first && !memcmp(&backend->key, key, sizeof(*key)))
			return backend;
	}
	return NULL;
}

struct installed_backend *installed_find_backend(const struct installed *installed,
						 const struct sl_key *key)
{
	return find_from(installed, key, 0);
}

struct installed_backend *installed_next_backend(const struct installed *installed,
						 const struct installed_backend *previous)
{
	return find_from(installed, &previous->key, (size_t)(previous - installed->backends) + 1);
}

/* Makes room for one more backend. */
static int grow(struct installed *installed)
{
	size_t size = installed->size_backends ? installed->size_backends * 2 : 4;
	struct installed_backend *backends;
	unsigned *places;

	if (installed->n_backends < installed->size_backends)
		return 0;
	backends = reallocarray(installed->backends, size, sizeof(*backends));
	if (!backends)
		return -ENOMEM;
	installed->backends = backends;
	places = calloc(4 * size, sizeof(*places));
	if (!places)
		return -ENOMEM;
	free(installed->places);
	installed->places = places;
	installed->n_places = 4 * size;
	installed->size_backends = size;
	put_places(installed);
	return 0;
}

int installed_add_backend(struct installed *installed, const struct installed_backend *backend)
{
	int error = grow(installed);

	if (error)
		return error;
	installed->backends[installed->n_backends] = *backend;
	put_place(installed, installed->n_backends++);
	return 0;
}

void installed_find_places(struct installed *installed)
{
	if (!installed->n_places)
		return;
	memset(installed->places, 0, installed->n_places * sizeof(*installed->places));
	put_places(installed);
}

/* ---- the end ---------------------------------------------------------------------- */

void installed_done(struct installed_set *set)
{
	struct installed *next;

	for (struct installed *i = installed_next(set, NULL); i; i = next) {
		next = installed_next(set, i);
		installed_free(set, i);
	}
	hashtable_done(&set->by_key);
	free(set->by_id);
	idpool_free(set->ids);
}
