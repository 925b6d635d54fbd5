// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/backends.h"

#include <errno.h>
#include <stdint.h>

#include "daemon/datapath/program/maps.h"
#include "daemon/datapath/state/counters.h"
#include "daemon/datapath/state/grace.h"
#include "daemon/datapath/state/installed.h"
#include "lib/alloc/idpool.h"
#include "lib/balance/plan.h"
#include "sluice/hash.h"

static const struct sl_key *return_key(const void *entries, unsigned index)
{
	return &((const struct sl_return *)entries)[index].key;
}

int backends_init(struct backends *backends, struct maps *maps, struct grace *grace)
{
	backends->maps = maps;
	backends->grace = grace;
	backends->return_dir = (struct directory){
		.words = maps->return_dir,
		.size = maps->map[MAP_RETURN_DIR].entries,
		.key_of = return_key,
		.entries = maps->returns,
	};
	if (idpool_new(maps->map[MAP_BACKENDS].entries, &backends->indices) ||
	    idpool_new(maps->map[MAP_RETURNS].entries, &backends->returns))
		return -ENOMEM;
	grace_watch_pool(grace, backends->indices);
	grace_watch_pool(grace, backends->returns);
	return 0;
}

void backends_done(struct backends *backends)
{
	idpool_free(backends->indices);
	idpool_free(backends->returns);
}

/* The responder's replies come through here too, whatever the service's do. */
bool backends_have_reply(const struct plan_backend *planned)
{
	return sl_forward_returns(planned->forward) || planned->responder;
}

/* The byte of the filter that counts keys like this one. */
static __u8 *filter_byte(const struct backends *backends, const struct sl_key *key)
{
	return &backends->maps->filter->keys[sl_hash_key(key) % SL_RETURN_FILTER];
}

/* The byte is never 0 while the key is in the directory. A daemon that is killed between the
 * two stores, or one that finds a word that leads nowhere, leaves it too high, which costs
 * packets a look-up that finds no entry.
 */
static int put_return(struct backends *backends, const struct sl_key *key, unsigned reply)
{
	__u8 *byte = filter_byte(backends, key);
	bool known = directory_find(&backends->return_dir, key) != SL_DIRECTORY_EMPTY;

	if (!known && *byte < UINT8_MAX)
		__atomic_store_n(byte, *byte + 1, __ATOMIC_SEQ_CST);
	return directory_put(&backends->return_dir, key, reply);
}

static void remove_return(struct backends *backends, const struct sl_key *key)
{
	__u8 *byte = filter_byte(backends, key);

	directory_remove(&backends->return_dir, key);
	if (*byte && *byte < UINT8_MAX)
		__atomic_store_n(byte, *byte - 1, __ATOMIC_SEQ_CST);
}

/* nat: makes the backend's replies known. */
static int add_reply(struct backends *backends, const struct installed *installed,
		     struct installed_backend *backend)
{
	unsigned reply = grace_take(backends->grace, backends->returns);
	int error;

	if (!reply)
		return -ENOSPC;
	backends->maps->returns[reply] = (struct sl_return){
		.key = backend->key,
		.addr = installed->key.addr,
		.port = installed->key.port,
		.backend = backend->index,
		.service = installed->id,
	};
	error = put_return(backends, &backend->key, reply);
	if (error)
		idpool_give(backends->returns, reply);
	else
		backend->reply = reply;
	return error;
}

static void write_entries(const struct maps *maps, unsigned index,
			  const struct plan_backend *planned)
{
	maps->backends[index] = (struct sl_backend){
		.addr = planned->key.addr,
		.port = planned->key.port,
		.family = planned->key.family,
		.forward = (__u8)planned->forward,
	};
	maps->origins[index] = (struct sl_origins){};
	maps->loads[index] = (struct sl_load){ .weight = 1 };
	counters_reset(&maps->map[MAP_BACKEND_STAT], index);
}

int backends_add(struct backends *backends, struct installed *installed,
		 const struct plan_backend *planned)
{
	struct installed_backend backend = {
		.key = planned->key,
		.index = grace_take(backends->grace, backends->indices),
		.epoch = backends->grace->epoch,
	};
	int error = 0;

	if (!backend.index)
		return -ENOSPC;
	write_entries(backends->maps, backend.index, planned);
	if (backends_have_reply(planned))
		error = add_reply(backends, installed, &backend);
	if (!error)
		error = installed_add_backend(installed, &backend);
	/* Replies lead to an index already, where they are known. */
	if (error && backend.reply)
		backends_drop(backends, &backend);
	else if (error)
		idpool_give(backends->indices, backend.index);
	return error;
}

int backends_keep_reply(struct backends *backends, const struct installed *installed,
			const struct plan_backend *planned, struct installed_backend *backend)
{
	if (!backends_have_reply(planned))
		return 0;
	if (!backend->reply)
		return add_reply(backends, installed, backend);
	if (directory_find(&backends->return_dir, &backend->key) == backend->reply)
		return 0;
	return put_return(backends, &backend->key, backend->reply);
}

void backends_know_flows(struct backends *backends, const struct installed *installed, bool know)
{
	__u32 flags = know ? SL_RETURN_TRACKED : 0;

	for (size_t i = 0; i < installed->n_backends; i++) {
		struct sl_return *entry = &backends->maps->returns[installed->backends[i].reply];

		if (installed->backends[i].reply && entry->flags != flags)
			__atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
	}
}

void backends_drop(struct backends *backends, const struct installed_backend *backend)
{
	if (backend->reply) {
		/* Another service may have taken the backend over meanwhile. */
		if (directory_find(&backends->return_dir, &backend->key) == backend->reply)
			remove_return(backends, &backend->key);
		idpool_retire(backends->returns, backend->reply);
	}
	/* Flows, and slots as their `previous`, may still name it. */
	__atomic_store_n(&backends->maps->backends[backend->index].state, 0, __ATOMIC_RELEASE);
	grace_drop(backends->grace, backends->indices, backend->index);
}
