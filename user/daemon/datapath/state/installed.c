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

struct installed_backend *installed_find_backend(const struct installed *installed,
						 const struct sl_key *key)
{
	for (size_t i = 0; i < installed->n_backends; i++)
		if (!memcmp(&installed->backends[i].key, key, sizeof(*key)))
			return &installed->backends[i];
	return NULL;
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
	free(installed);
}

int installed_add_backend(struct installed *installed, const struct installed_backend *backend)
{
	struct installed_backend *backends =
		reallocarray(installed->backends, installed->n_backends + 1, sizeof(*backends));

	if (!backends)
		return -ENOMEM;
	installed->backends = backends;
	backends[installed->n_backends++] = *backend;
	return 0;
}

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
