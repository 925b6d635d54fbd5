/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The services and backends that the maps hold, and the indices that each occupies. An
 * address of a configured service is a service here.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_INSTALLED_H
#define SLUICE_DAEMON_DATAPATH_STATE_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/datapath/state/transition.h"
#include "lib/base/hashtable.h"
#include "sluice/abi.h"

struct grace;
struct idpool;

struct installed_backend {
	struct sl_key key;
	unsigned index; /* in sl_backends and sl_backend_stat */
	unsigned reply; /* in sl_returns; 0: none (dsr) */
	unsigned epoch; /* in which its hop was last switched (struct grace) */
	bool hop_known;
	bool wanted; /* scratch of one datapath_apply() */
};

struct installed {
	struct hash_node node; /* in installed_set.by_key */
	struct sl_key key;
	unsigned id;    /* index into sl_service_stat */
	unsigned entry; /* in sl_services; 0: not published yet */
	struct installed_backend *backends;
	size_t n_backends, size_backends;
	/* Where the backends stand, found by the hashes of their keys: index + 1; 0: none.
	 * n_places is a power of two, and more than twice n_backends.
	 */
	unsigned *places;
	size_t n_places;
	bool claimed; /* false: adopted, or unclaimed, and not applied since */
	struct transition transition;
	/* Whether the published entry tracks all flows, and the SL_SECOND since when it has. */
	bool tracked;
	unsigned tracked_since;
	unsigned replaced; /* in sl_services: sl_service.replaced of the entry; 0: none */
};

struct installed_set {
	struct hashtable by_key;
	struct installed **by_id; /* by index of sl_service_stat; NULL: none */
	unsigned n_ids;
	struct idpool *ids;
};

/* 0 or -ENOMEM; installed_done() frees, also after a failure. */
int installed_init(struct installed_set *set, unsigned n_ids, struct grace *grace);
void installed_done(struct installed_set *set);

/* NULL: the maps do not hold it. */
struct installed *installed_find(const struct installed_set *set, const struct sl_key *key);

/* The first backend of the service with this key, and the one behind `previous`; NULL: there is
 * none. There may be several while one of them replaces another.
 */
struct installed_backend *installed_find_backend(const struct installed *installed,
						 const struct sl_key *key);
struct installed_backend *installed_next_backend(const struct installed *installed,
						 const struct installed_backend *previous);

/* The one behind `previous`, in no order; the first one behind NULL; NULL: there are no more.
 * `previous` may be removed afterwards.
 */
struct installed *installed_next(const struct installed_set *set, const struct installed *previous);

/* A new, empty, unpublished one under an id that was taken or claimed. NULL: no memory. */
struct installed *installed_new(struct installed_set *set, const struct sl_key *key, unsigned id);

/* Notes whether its published entry tracks all flows. now: an SL_SECOND. */
void installed_track(struct installed *installed, bool tracked, unsigned now);

/* Forgets it. The indices that it occupies are not given back. */
void installed_free(struct installed_set *set, struct installed *installed);

/* 0 or -ENOMEM. */
int installed_add_backend(struct installed *installed, const struct installed_backend *backend);

/* To be called after backends have been taken out of the array. */
void installed_find_places(struct installed *installed);

#endif
