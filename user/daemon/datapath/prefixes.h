/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The trie of prefixes: many lists in one map, each a set of its own. For
 * datapath*.c alone.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PREFIXES_H
#define SLUICE_DAEMON_DATAPATH_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/hashtable.h"
#include "lib/base/prefix.h"

struct datapath;

struct prefix_entry {
	struct prefix prefix;
	bool deny;
	unsigned expires; /* SL_SECONDs; 0: never */
};

/* What one list holds. */
struct prefix_set {
	struct hash_node node;        /* in datapath.prefixes, by list */
	unsigned list;                /* SL_LIST_* */
	struct prefix_entry *entries; /* sorted by prefix_compare() */
	size_t n;
};

/* NULL: holds nothing. Valid until the list is changed. */
const struct prefix_set *prefixes_find(const struct datapath *datapath, unsigned list);

/* Makes the list hold `entries`, in any order, and takes them, also on failure. 0,
 * or -errno and the list is as it was.
 */
int prefixes_change(struct datapath *datapath, unsigned list, struct prefix_entry *entries,
		    size_t n);

void prefixes_clear(struct datapath *datapath, unsigned list);

/* Whether the program looks at a list that holds for all services: SL_TUNING_*. */
void prefixes_use(struct datapath *datapath, unsigned bit, bool on);

/* Takes what the map holds. 0, -EPROTO: it contradicts itself; or another -errno. */
int prefixes_learn(struct datapath *datapath);

void prefixes_free(struct datapath *datapath);

#endif
