/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A next hop: the device and the MAC addresses that lead to an address, or the reason why
 * none do. Values only; nexthops.h finds them and follows them.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_NEXTHOP_H
#define SLUICE_DAEMON_NEXTHOP_NEXTHOP_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/base/addr.h"

enum nexthop_state {
	NEXTHOP_RESOLVED,
	NEXTHOP_NO_NEIGHBOUR, /* asked for, no answer (yet) */
	NEXTHOP_NO_ROUTE,
	NEXTHOP_LINK_DOWN,     /* the device is down or has no carrier */
	NEXTHOP_LOCAL,         /* the address is this machine's own: nowhere to forward to */
	NEXTHOP_UNSUPPORTED,   /* the device takes no frames from XDP, or is a VLAN inside a VLAN */
	NEXTHOP_NEEDS_POLLING, /* the device takes none now: nothing polls behind this veth */
	NEXTHOP_NEEDS_PROGRAM, /* the device takes none now: it runs no XDP program */
};

/* A neighbour: an address on a device. */
struct neighbour_key {
	struct ip ip;
	int ifindex;
};

struct nexthop {
	enum nexthop_state state;
	struct sl_hop wire; /* valid when resolved. A VLAN device is given as its parent + id */
	/* Of the wire, beside its own device: where packets from there may come in. */
	struct sl_origin origins[SL_ORIGINS];
	struct ip gateway;         /* family 0: on link */
	char device[IF_NAMESIZE];  /* as the route names it; "" where there is no route */
	char carrier[IF_NAMESIZE]; /* the device that takes no frames now; else "" */
};

/* Called from the loop, never from within a call of this module, after the hop
 * of the watched address has changed.
 */
typedef void nexthop_changed_fn(void *arg);

/* A packet that arrives to be forwarded. */
struct forwarded {
	struct ip source, destination;
	unsigned ingress; /* ifindex of the device that it arrives on */
};

/* Called with the device of a bridge's port behind which the MAC address is, or NULL: it is not
 * known any more.
 */
typedef void nexthops_port_fn(void *arg, const struct sl_port *port,
			      const struct sl_device *device);

bool nexthop_equal(const struct nexthop *a, const struct nexthop *b);

/* "no neighbour answers for 10.0.0.1 on eth1", for status and log; returns
 * buffer.
 */
const char *nexthop_explain(const struct nexthop *hop, const struct ip *ip, char *buffer,
			    unsigned long size);

#endif
