/* SPDX-License-Identifier: BSD-2-Clause
 *
 * struct datapath, for datapath*.c and datapath/attach.c alone.
 */
#ifndef SLUICE_DAEMON_DATAPATH_INTERNAL_H
#define SLUICE_DAEMON_DATAPATH_INTERNAL_H

#include <limits.h>
#include <stdbool.h>

#include "daemon/datapath/datapath.h"
#include "daemon/datapath/limits.h"
#include "daemon/datapath/maps.h"
#include "lib/alloc/directory.h"
#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"
#include "lib/base/hashtable.h"

struct bpf_object;
struct ring_buffer;
struct xdp_program;

#define GRACE_POOLS  8
#define GRACE_RANGES 2

/* A backend that the maps hold, and what it occupies. */
struct installed_backend {
	struct sl_key key;
	unsigned index; /* in sl_backends and sl_backend_stat */
	unsigned reply; /* in sl_returns; 0: none (dsr) */
	unsigned epoch; /* in which its hop was last switched */
	bool hop_known;
	bool wanted; /* scratch of one datapath_apply() */
};

/* A service that the maps hold, and what it occupies. */
struct installed {
	struct hash_node node; /* in datapath.installed, by key */
	struct sl_key key;
	unsigned id;    /* index into sl_service_stat */
	unsigned entry; /* in sl_services; 0: not published yet */
	struct installed_backend *backends;
	size_t n_backends;
	bool claimed; /* false: adopted, and nobody has applied it since */

	/* Transition; the arrays are NULL while no slot is in one. */
	unsigned n_tracking; /* slots */
	__u32 *changed;      /* by slot: SL_SECOND in which it last moved */
	bool *held;          /* by slot: in this round, a live flow was found elsewhere */
	unsigned replaced;   /* in sl_services: sl_service.replaced of the entry; 0: none */
};

/* An index of a map that flows may still name: free after a whole round of the
 * walk, which takes those flows out, and a grace period.
 */
struct dropped {
	struct idpool *pool;
	unsigned index;
	unsigned round; /* of the walk in which it was dropped */
};

struct walk;         /* datapath/walk.c */
struct limits_state; /* datapath/limits.c */
struct access_state; /* datapath/access.c */
struct events;       /* datapath/events.c */

struct datapath {
	int program_fd; /* what is pinned */
	/* The program once more over the same maps, for libxdp to load; NULL until
	 * something is attached.
	 */
	struct xdp_program *program;
	struct bpf_object *object; /* program's */
	bool alone;                /* libxdp could not attach where the plain program could be */
	char pin_dir[PATH_MAX];
	int pin_lock; /* pin_dir, locked; -1: has no pins */
	struct maps maps;
	struct directory directory, return_dir;
	struct idpool *entries, *services, *backends, *returns;
	struct extents *slots;
	struct hashtable installed;
	struct hashtable prefixes; /* datapath/prefixes.c */
	/* Counts the grace periods waited for. A hop switched in this epoch may
	 * still be read in its old place.
	 */
	unsigned epoch;
	struct installed **by_id; /* by index of sl_service_stat */
	struct datapath_timeouts timeouts;
	__u64 hash_seed; /* the program's */
	struct dropped *dropped;
	size_t n_dropped;
	struct idpool *pools[GRACE_POOLS]; /* of which some may be retired; grace.c */
	struct extents *ranges[GRACE_RANGES];
	unsigned n_pools, n_ranges;
	struct walk *walk;
	struct limits_state *limits;
	struct access_state *access;
	struct events *events;                /* NULL until somebody listens */
	unsigned round;                       /* of the walk */
	unsigned long long n_flows;           /* as of the last round */
	bool flows_left;                      /* the last round found some */
	unsigned devices[SL_DEFAULT_DEVICES]; /* ifindexes put since the last begin */
	unsigned n_devices;
};

/* Makes a datapath of an open program: maps, allocators, and what the maps
 * already hold. Takes program_fd, also on failure.
 */
int datapath_new(int program_fd, struct diag *diag, struct datapath **ret_datapath);

/* Learns what the maps hold: services, their tables, their backends. */
int datapath_learn(struct datapath *datapath, struct diag *diag);

/* The program once more, over the same maps, not loaded yet. */
int datapath_reopen(const struct datapath *datapath, struct bpf_object **ret_object);

/* Pins program and maps in a directory on a bpffs, mounting one where there is
 * none. Replaces what a predecessor left.
 */
int pins_make(struct datapath *datapath, const char *pin_dir, struct diag *diag);
void pins_remove(const struct datapath *datapath);

/* Makes this the program that is pinned (it uses the same maps). Dups the fd. */
int pins_set_program(struct datapath *datapath, int program_fd, struct diag *diag);

struct installed *installed_find(const struct datapath *datapath, const struct sl_key *key);

/* Its published entry; entry 0, which is empty, before that. */
const struct sl_service *installed_entry(const struct datapath *datapath,
					 const struct installed *installed);
struct installed_backend *installed_find_backend(const struct installed *installed,
						 const struct sl_key *key);

/* A new, empty, unpublished one with counters at zero, in datapath->installed;
 * NULL: no memory or no id left.
 */
struct installed *installed_new(struct datapath *datapath, const struct sl_key *key, unsigned id);

/* Unpublishes it and retires all it occupies. */
void installed_remove(struct datapath *datapath, struct installed *installed);

int installed_add_backend(struct installed *installed, const struct installed_backend *backend);

/* Retires what a backend occupies; no slot leads to it any more. */
void installed_drop_backend(struct datapath *datapath, const struct installed_backend *backend);

/* Sums the n counters under an index over CPUs. 0 or -errno. */
int stats_sum(const struct datapath *datapath, enum map_name name, unsigned index, size_t n,
	      __u64 *ret_sums);

void stats_reset(const struct datapath *datapath, enum map_name name, unsigned index);

/* Coarse time as the program sees it; a duration in it, rounded up. */
unsigned datapath_now(void);
__u32 coarse_timeout(unsigned ms);

/* Takes backends that do not serve out of the tables that the service's own has
 * replaced: nobody there is left to protect, and their indices may become others'.
 */
void installed_purge_replaced(struct datapath *datapath, const struct installed *installed);

/* Retires a replaced entry, and those that it has replaced, with their tables. */
void installed_retire_replaced(struct datapath *datapath, unsigned entry);

/* Retires an entry together with its table. */
void installed_retire_entry(struct datapath *datapath, unsigned entry);

/* Takes an index out of use that flows may still name. */
void drop_index(struct datapath *datapath, struct idpool *pool, unsigned index);

/* Makes room to note that slots are in transition. 0 or -ENOMEM. */
int transition_begin(struct installed *installed, unsigned table_size);
void transition_end(struct installed *installed);

/* datapath/settle.c: settles the slots for which a round that has just ended found
 * nothing against it; `now` as the round had it.
 */
void transition_settle(struct datapath *datapath, struct installed *installed, unsigned now);

/* All that was dropped before the round that has just ended is nobody's now. */
void dropped_retire(struct datapath *datapath);

void walk_free(struct walk *walk);

/* Publishes the service's entry anew, changed as `entry` says; the old entry is
 * retired, unless entry->replaced names it. 0 or -ENOSPC.
 */
int installed_publish(struct datapath *datapath, struct installed *installed,
		      const struct sl_service *entry);

/* datapath/limits.c: the blocks of limits, and who names them. */
int limits_init(struct datapath *datapath);
void limits_free(struct datapath *datapath);

/* An entry of a service begins, or ends, to lead to a block. */
void limits_use(struct datapath *datapath, const struct sl_service *entry);
void limits_release(struct datapath *datapath, const struct sl_service *entry);

/* Takes what an entry names as in use, while learning. 0 or -EPROTO. */
int limits_learn(struct datapath *datapath, const struct sl_service *entry);

/* datapath/access.c: the same of access lists; and the exempt ones of limits.
 * access_free() frees all lists of prefixes.
 */
int access_init(struct datapath *datapath);
void access_free(struct datapath *datapath);
void access_use(struct datapath *datapath, const struct sl_service *entry);
void access_release(struct datapath *datapath, const struct sl_service *entry);
int access_learn(struct datapath *datapath, const struct sl_service *entry);
int access_put_exempt(struct datapath *datapath, unsigned number, const struct prefix_list *list);

/* datapath/events.c; accepts one that nobody listens to. */
void datapath_events_free(struct datapath *datapath);

/* From now on datapath_wait() frees what was retired of it. */
void grace_watch_pool(struct datapath *datapath, struct idpool *pool);
void grace_watch_ranges(struct datapath *datapath, struct extents *ranges);

/* A free index; waits for readers where only retired ones are left. 0: none. */
unsigned take_index(struct datapath *datapath, struct idpool *pool);

/* Waits for readers and makes what was retired free again. */
int datapath_wait(struct datapath *datapath);

#endif
