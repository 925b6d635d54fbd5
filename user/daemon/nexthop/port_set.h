/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ports that are followed, for nexthop/ alone. Invariant: a port is here as long as the
 * bridge's forwarding database leads to a device that takes frames from XDP.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_PORT_SET_H
#define SLUICE_DAEMON_NEXTHOP_PORT_SET_H

#include <stdbool.h>

#include "daemon/nexthop/nexthop.h"
#include "lib/base/hashtable.h"

struct links;
struct netlink;
struct nlmsghdr;

/* Zeroed, and with its pointers: follows none. */
struct port_set {
	struct netlink *netlink;
	const struct links *links;
	struct hashtable by_port;
	bool doubted;              /* some of them are */
	nexthops_port_fn *changed; /* NULL: not asked for */
	void *arg;
};

void port_set_done(struct port_set *set);

/* See nexthops_find_port(). */
bool port_set_find(struct port_set *set, const struct sl_port *port);

/* Takes in RTM_NEWNEIGH and RTM_DELNEIGH of a bridge: doubts the port that it is about. */
void port_set_take(struct port_set *set, const struct nlmsghdr *message);

/* Devices have changed. */
void port_set_doubt_all(struct port_set *set);

/* Asks for those that are in doubt. */
void port_set_review(struct port_set *set);

#endif
