// SPDX-License-Identifier: BSD-2-Clause
/* Comparing next hops, and telling of them in words. */
#include "daemon/nexthop/nexthop.h"

#include <stdio.h>
#include <string.h>

#define MTU_DEFAULT 1500 /* of Ethernet */

bool nexthop_equal(const struct nexthop *a, const struct nexthop *b)
{
	return a->state == b->state && memcmp(&a->wire, &b->wire, sizeof(a->wire)) == 0 &&
	       memcmp(a->origins, b->origins, sizeof(a->origins)) == 0 &&
	       ip_equal(&a->gateway, &b->gateway) && strcmp(a->device, b->device) == 0 &&
	       strcmp(a->carrier, b->carrier) == 0;
}

static const char *mac_format(const __u8 mac[static 6], char buffer[static 18])
{
	(void)snprintf(buffer, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
	return buffer;
}

/* ", MTU 9000", where it is not the default. */
static const char *mtu_format(__u16 mtu, char buffer[static 16])
{
	buffer[0] = '\0';
	if (mtu && mtu != MTU_DEFAULT)
		(void)snprintf(buffer, 16, ", MTU %u", mtu);
	return buffer;
}

const char *nexthop_explain(const struct nexthop *hop, const struct ip *ip, char *buffer,
			    unsigned long size)
{
	char address[ADDR_TEXT_SIZE], gateway[ADDR_TEXT_SIZE], mac[18], mtu[16];
	const bool on_link = hop->gateway.family == 0;

	ip_format(ip, address);
	ip_format(&hop->gateway, gateway);
	switch (hop->state) {
	case NEXTHOP_RESOLVED:
		(void)snprintf(buffer, size, "%s%s%s is at %s on %s%s", address,
			       on_link ? "" : " via ", on_link ? "" : gateway,
			       mac_format(hop->wire.dst_mac, mac), hop->device,
			       mtu_format(hop->wire.mtu, mtu));
		break;
	case NEXTHOP_NO_NEIGHBOUR:
		(void)snprintf(buffer, size, "no neighbour answers for %s%s on %s",
			       on_link ? "" : "the gateway ", on_link ? address : gateway,
			       hop->device);
		break;
	case NEXTHOP_NO_ROUTE:
		(void)snprintf(buffer, size, "no route to %s", address);
		break;
	case NEXTHOP_LINK_DOWN:
		(void)snprintf(buffer, size, "%s is down or has no carrier", hop->device);
		break;
	case NEXTHOP_LOCAL:
		(void)snprintf(buffer, size, "%s is an address of this machine", address);
		break;
	case NEXTHOP_UNSUPPORTED:
		(void)snprintf(buffer, size,
			       "%s, which leads to %s, takes no frames from XDP: it is a bridge, a "
			       "tunnel or the like, or a VLAN in a VLAN",
			       hop->device, address);
		break;
	case NEXTHOP_NEEDS_POLLING:
		(void)snprintf(
			buffer, size,
			"%s, which leads to %s, takes no frames from XDP now, because the other "
			"end of this veth does not poll; mend it there: ethtool -K INTERFACE "
			"gro on (if it is on already: off, and then on)",
			hop->carrier, address);
		break;
	case NEXTHOP_NEEDS_PROGRAM:
		(void)snprintf(
			buffer, size,
			"%s, which leads to %s, takes no frames from XDP while it runs no XDP "
			"program; mend it: sluicectl attach %s, and name it under interfaces",
			hop->carrier, address, hop->carrier);
		break;
	}
	return buffer;
}
