/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Next hops that packets are sent to, but that are not watched, such as those of clients: the
 * kernel is made to resolve them, and to follow their MAC addresses, while they are in use.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_USED_H
#define SLUICE_DAEMON_NEXTHOP_USED_H

#include "daemon/nexthop/nexthop.h"

struct nexthops;

/* What leads to a next hop now. Zeroed: nothing does. */
struct nexthop_way {
	bool open;
	bool addressed; /* by the MAC address; the device needs none otherwise */
	__u8 mac[6];
	unsigned mtu; /* of the device */
};

/* The next hop is wanted from now on for this long. A bounded number are: of too many, the one
 * that was named longest ago is forgotten.
 */
void nexthops_want(struct nexthops *hops, const struct neighbour_key *key, unsigned for_ms);

/* The same of a next hop that packets have just been sent to: its MAC address is probed. */
void nexthops_use(struct nexthops *hops, const struct neighbour_key *key, unsigned for_ms);

/* The way to a next hop in use. */
struct nexthop_way nexthops_way(const struct nexthops *hops, const struct neighbour_key *key);

/* From now on, calls `changed` from the loop after the way to a next hop in use has changed.
 * One alone can ask.
 */
void nexthops_follow_used(struct nexthops *hops, nexthop_changed_fn *changed, void *arg);

#endif
