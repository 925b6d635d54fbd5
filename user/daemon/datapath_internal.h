/* SPDX-License-Identifier: BSD-2-Clause
 *
 * struct datapath, for datapath*.c and interfaces.c alone.
 */
#ifndef SLUICE_DATAPATH_INTERNAL_H
#define SLUICE_DATAPATH_INTERNAL_H

#include <limits.h>
#include <stdbool.h>

#include "daemon/datapath.h"
#include "daemon/datapath_maps.h"
#include "lib/directory.h"
#include "lib/extents.h"
#include "lib/hashtable.h"
#include "lib/idpool.h"

struct bpf_object;
struct xdp_program;

/* A backend that the maps hold, and what it occupies. */
struct installed_backend {
	struct sl_key key;
	unsigned index; /* in sl_backends and sl_backend_stat */
	unsigned answer; /* in sl_returns; 0: none (dsr) */
	unsigned epoch; /* in which its hop was last switched */
	bool hop_known;
	bool wanted; /* scratch of one datapath_apply() */
};

/* A service that the maps hold, and what it occupies. */
struct installed {
	struct hash_node node; /* in datapath.installed, by key */
	struct sl_key key;
	unsigned id; /* index into sl_service_stat */
	unsigned entry; /* in sl_services; 0: not published yet */
	struct installed_backend *backends;
	size_t n_backends;
	bool claimed; /* false: adopted, and nobody has applied it since */
};

struct datapath {
	int program_fd; /* what is pinned */
	/* The program once more over the same maps, for libxdp to load; NULL until
	 * something is attached.
	 */
	struct xdp_program *program;
	struct bpf_object *object; /* program's */
	bool alone; /* libxdp could not attach where the plain program could be */
	char pin_dir[PATH_MAX];
	int pin_lock; /* pin_dir, locked; -1: has no pins */
	struct maps maps;
	struct directory directory, return_dir;
	struct idpool *entries, *services, *backends, *returns;
	struct extents *slots;
	struct hashtable installed;
	/* Counts the grace periods waited for. A hop switched in this epoch may
	 * still be read in its old place.
	 */
	unsigned epoch;
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

/* A new descriptor of the sluice program that an interface runs, alone or in
 * libxdp's dispatcher. -ENOENT: none.
 */
int xdp_find_sluice(int ifindex);

struct installed *installed_find(const struct datapath *datapath, const struct sl_key *key);
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

void stats_reset(const struct datapath *datapath, enum map_name name, unsigned index);

/* Waits for readers and makes what was retired free again. */
int datapath_wait(struct datapath *datapath);

#endif
