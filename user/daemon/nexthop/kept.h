/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Neighbours that are kept resolved for a time, for nexthop/ alone: a set holds a bounded
 * number of them. Invariant: each is in `all` once, behind those that were asked for before.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_KEPT_H
#define SLUICE_DAEMON_NEXTHOP_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/nexthop/nexthop.h"
#include "lib/base/hashtable.h"

struct neighbours;

TAILQ_HEAD(kept_list, kept);

struct kept_set {
	struct neighbours *neighbours;
	struct hashtable by_key;
	struct kept_list all;
	unsigned max;
	bool changed; /* a MAC address has; the owner clears it */
};

void kept_init(struct kept_set *set, struct neighbours *neighbours, unsigned max);

/* Gives up all of them. */
void kept_done(struct kept_set *set);

/* Whether one is kept already, or there is room for it. */
bool kept_may(const struct kept_set *set, const struct neighbour_key *key);

/* Keeps one until that time at least, of the owner's measure; in a full set, instead of the one that was asked for
 * longest ago. Does nothing where memory or the kernel fails.
 */
void kept_keep(struct kept_set *set, const struct neighbour_key *key, uint64_t now_ms,
	       uint64_t until);

/* Packets go to one that is kept: see neighbour_doubt(). */
void kept_doubt(struct kept_set *set, const struct neighbour_key *key, uint64_t now_ms);

/* Gives up those whose time is over. */
void kept_expire(struct kept_set *set, uint64_t now);

/* The MAC address, 6 bytes, or NULL: it is not resolved, or not kept. */
const __u8 *kept_mac(const struct kept_set *set, const struct neighbour_key *key);

#endif
