/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The trie of prefixes: many lists in one map, each a set of its own. The prefixes of each
 * list are remembered here, sorted, so that a change writes only the difference. While a
 * list changes under packets, it denies no source that neither the old nor the new list
 * denies: allowing prefixes are added first and removed last.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_PREFIXES_H
#define SLUICE_DAEMON_DATAPATH_STATE_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/hashtable.h"
#include "lib/base/prefix.h"

struct maps;

struct prefix_entry {
	struct prefix prefix;
	bool deny;
	unsigned expires; /* SL_SECONDs; 0: never */
};

/* One list. */
struct prefix_set {
	struct hash_node node;        /* in prefixes.sets, by list */
	unsigned list;                /* SL_LIST_* */
	struct prefix_entry *entries; /* sorted by prefix_compare() */
	size_t n;
};

struct prefixes {
	const struct maps *maps;
	struct hashtable sets;
};

/* maps is borrowed. */
void prefixes_init(struct prefixes *prefixes, const struct maps *maps);
void prefixes_done(struct prefixes *prefixes);

/* NULL: holds nothing. Valid until the list is changed. */
const struct prefix_set *prefixes_find(const struct prefixes *prefixes, unsigned list);

/* Makes the list hold `entries`, in any order, and takes ownership of them, also on failure.
 * 0, or -errno and the list is as it was.
 */
int prefixes_change(struct prefixes *prefixes, unsigned list, struct prefix_entry *entries,
		    size_t n);

void prefixes_clear(struct prefixes *prefixes, unsigned list);

/* Whether the program looks at a list that holds for all services: SL_TUNING_*. */
void prefixes_use(const struct prefixes *prefixes, unsigned bit, bool on);

/* While adopting maps: remembers the prefixes that the map holds. 0; -EPROTO: a key is none
 * that sluice writes; or another -errno.
 */
int prefixes_learn(struct prefixes *prefixes);

/* Clears every list that is not to be kept. */
typedef bool prefixes_keep_fn(const void *arg, unsigned list);
void prefixes_keep(struct prefixes *prefixes, prefixes_keep_fn *keep, const void *arg);

#endif
