// SPDX-License-Identifier: BSD-2-Clause
/* What the maps hold, and who occupies which index. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"
#include "sluice/slot.h"

static bool equal_key(const struct hash_node *node, const void *key)
{
	const struct installed *installed = HASH_ENTRY(node, const struct installed, node);

	return !memcmp(&installed->key, key, sizeof(installed->key));
}

struct installed *installed_find(const struct datapath *datapath, const struct sl_key *key)
{
	struct hash_node *node = hashtable_find(&datapath->installed,
						hash_bytes(key, sizeof(*key), 0), key, equal_key);

	return node ? HASH_ENTRY(node, struct installed, node) : NULL;
}

const struct sl_service *installed_entry(const struct datapath *datapath,
					 const struct installed *installed)
{
	return &datapath->maps.services[installed->entry];
}

struct installed_backend *installed_find_backend(const struct installed *installed,
						 const struct sl_key *key)
{
	for (size_t i = 0; i < installed->n_backends; i++)
		if (!memcmp(&installed->backends[i].key, key, sizeof(*key)))
			return &installed->backends[i];
	return NULL;
}

struct installed *installed_new(struct datapath *datapath, const struct sl_key *key, unsigned id)
{
	_cleanup_(cleanup_free) struct installed *installed = calloc(1, sizeof(*installed));

	if (!installed)
		return NULL;
	installed->key = *key;
	installed->id = id;
	if (hashtable_insert(&datapath->installed, &installed->node,
			     hash_bytes(key, sizeof(*key), 0)))
		return NULL;
	datapath->by_id[id] = installed;
	return TAKE_PTR(installed);
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
