// SPDX-License-Identifier: BSD-2-Clause
/* Messages that are made here instead of by the kernel: of devices that it may
 * not have, and such as it should never send. And hops in words.
 */
#include "harness.h" /* first: linux/if.h must come after net/if.h */

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/addresses.h"
#include "daemon/nexthop/features.h"
#include "daemon/nexthop/links.h"
#include "daemon/nexthop/neighbour_entry.h"
#include "daemon/nexthop/stations.h"
#include "lib/base/array.h"
#include "scenarios.h"

#define LOWER_UP (1 << 16)

static const __u8 a_mac[6] = { 2, 0, 0, 0, 0, 9 };

struct device {
	int ifindex;
	const char *kind; /* NULL: none */
	int parent;
	__u16 id;
	__u16 protocol;
	bool elsewhere; /* the parent is in another namespace */
	int master;
};

static struct nlmsghdr *link_message(char *buffer, const struct device *device)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	struct nlattr *nest, *data;
	char name[IF_NAMESIZE];

	message->nlmsg_type = RTM_NEWLINK;
	info->ifi_type = ARPHRD_ETHER;
	info->ifi_index = device->ifindex;
	info->ifi_flags = IFF_UP | LOWER_UP;
	(void)snprintf(name, sizeof(name), "dev%d", device->ifindex);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put(message, IFLA_ADDRESS, sizeof(a_mac), a_mac);
	mnl_attr_put_u32(message, IFLA_MTU, 1500);
	if (device->parent)
		mnl_attr_put_u32(message, IFLA_LINK, device->parent);
	if (device->master)
		mnl_attr_put_u32(message, IFLA_MASTER, device->master);
	if (device->elsewhere)
		mnl_attr_put_u32(message, IFLA_LINK_NETNSID, 0);
	if (!device->kind)
		return message;
	nest = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, device->kind);
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u16(message, IFLA_VLAN_PROTOCOL, htons(device->protocol));
	mnl_attr_put_u16(message, IFLA_VLAN_ID, device->id);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, nest);
	return message;
}

/* What a device says of its XDP programs: ids, of which 0 is none. */
struct xdp {
	__u8 attached; /* XDP_ATTACHED_* */
	__u32 generic, driver, only;
};

static struct nlmsghdr *put_xdp(struct nlmsghdr *message, const struct xdp *xdp)
{
	struct nlattr *nest = mnl_attr_nest_start(message, IFLA_XDP);

	mnl_attr_put_u8(message, IFLA_XDP_ATTACHED, xdp->attached);
	if (xdp->only)
		mnl_attr_put_u32(message, IFLA_XDP_PROG_ID, xdp->only);
	if (xdp->generic)
		mnl_attr_put_u32(message, IFLA_XDP_SKB_PROG_ID, xdp->generic);
	if (xdp->driver)
		mnl_attr_put_u32(message, IFLA_XDP_DRV_PROG_ID, xdp->driver);
	mnl_attr_nest_end(message, nest);
	return message;
}

/* The device that carries, or 0. */
static int carrier_of(const struct links *links, int ifindex)
{
	const struct link *link = links_find(links, ifindex);
	const struct link *carrier = link ? links_carrier(links, link) : NULL;

	return carrier ? carrier->ifindex : 0;
}

void vlan_messages(void)
{
	static const struct {
		struct device device;
		int carrier;
	} rows[] = {
		{ { 1, NULL, 0, 0, 0, false, 0 }, 1 },
		{ { 2, "vlan", 1, 5, ETH_P_8021Q, false, 0 }, 1 },
		{ { 3, "vlan", 2, 6, ETH_P_8021Q, false, 0 }, 0 }, /* in a VLAN */
		{ { 4, "vlan", 1, 7, ETH_P_8021AD, false, 0 }, 0 },
		{ { 5, "vlan", 1, 8, ETH_P_8021Q, true, 0 }, 0 },
		{ { 6, "vlan", 77, 8, ETH_P_8021Q, false, 0 }, 0 }, /* no such parent */
		{ { 7, "vlan", 0, 8, ETH_P_8021Q, false, 0 }, 0 },
		{ { 8, "macvlan", 1, 5, ETH_P_8021Q, false, 0 }, 0 }, /* takes no frames from XDP */
		{ { 9, "veth", 1, 5, ETH_P_8021Q, false, 0 }, 9 },
	};
	struct links links = {};
	char buffer[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(links_take(&links, link_message(buffer, &rows[i].device)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (carrier_of(&links, rows[i].device.ifindex) != rows[i].carrier)
			fail("row %zu: carrier %d", i, carrier_of(&links, rows[i].device.ifindex));
	check(links_find(&links, 2)->vlan == 5);
	check(!links_take(&links, link_message(buffer, &rows[1].device))); /* nothing new */
	links_done(&links);
}

/* Which program a device runs; and that a device is told from an earlier one of its index. */
void xdp_messages(void)
{
	static const struct device device = { 2, NULL, 0, 0, 0, false, 0 };
	static const struct {
		struct xdp xdp;
		__u32 program;
	} rows[] = {
		{ { XDP_ATTACHED_DRV, 0, 7, 7 }, 7 },  { { XDP_ATTACHED_SKB, 8, 0, 8 }, 8 },
		{ { XDP_ATTACHED_DRV, 0, 0, 9 }, 9 },  { { XDP_ATTACHED_MULTI, 10, 11, 0 }, 10 },
		{ { XDP_ATTACHED_NONE, 0, 0, 0 }, 0 },
	};
	struct links links = {};
	unsigned long long serial;
	struct nlmsghdr *message;
	char buffer[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		message = put_xdp(link_message(buffer, &device), &rows[i].xdp);
		check(links_take(&links, message));
		check(!links_take(&links, message)); /* nothing new */
		check(links_find(&links, 2)->program == rows[i].program);
	}
	serial = links_find(&links, 2)->serial;
	message->nlmsg_type = RTM_DELLINK;
	check(links_take(&links, message));
	check(links_take(&links, link_message(buffer, &device)));
	check(serial && links_find(&links, 2)->serial != serial);
	check(links_find(&links, 2)->program == 0);
	links_done(&links);
}

/* A message of the family "netdev" about what a device can do. */
static struct nlmsghdr *features_message(char *buffer, __u8 command, __u32 ifindex, __u64 bits)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->cmd = command;
	mnl_attr_put_u32(message, 1, ifindex); /* NETDEV_A_DEV_IFINDEX */
	mnl_attr_put_u64(message, 3, bits);    /* NETDEV_A_DEV_XDP_FEATURES */
	return message;
}

static enum link_takes takes_of(const struct links *links, int ifindex)
{
	return links_find(links, ifindex)->takes;
}

/* What a device takes; and that only devices that are known are noted. */
void features_messages(void)
{
	static const struct device veth = { 2, "veth", 0, 0, 0, false, 0 };
	static const struct device bridge = { 3, "bridge", 0, 0, 0, false, 0 };
	struct links links = {};
	char buffer[512];

	check(links_take(&links, link_message(buffer, &veth)));
	check(links_take(&links, link_message(buffer, &bridge)));
	check(takes_of(&links, 2) == LINK_TAKES_UNKNOWN && carrier_of(&links, 3) == 0);
	check(features_take(&links, features_message(buffer, 1, 2, 103)));
	check(!features_take(&links, features_message(buffer, 4, 2, 103))); /* nothing new */
	check(takes_of(&links, 2) == LINK_TAKES_YES);
	check(!features_take(&links, features_message(buffer, 3, 2, 0))); /* of one that goes */
	check(features_take(&links, features_message(buffer, 4, 2, 35)));
	check(takes_of(&links, 2) == LINK_TAKES_NO);
	check(!features_take(&links, features_message(buffer, 1, 9, 103)));
	/* The kernel's word counts, not the kind. */
	check(features_take(&links, features_message(buffer, 4, 3, 4)) &&
	      carrier_of(&links, 3) == 3);
	/* A message about something else leaves what is known. */
	check(links_take(&links, put_xdp(link_message(buffer, &veth),
					 &(struct xdp){ XDP_ATTACHED_DRV, 0, 7, 7 })));
	check(takes_of(&links, 2) == LINK_TAKES_NO);
	check(links_sends(&links, links_find(&links, 2)) == LINK_SENDS); /* generic mode alone */
	links.natives = 1; /* by the one device that there is */
	check(links_sends(&links, links_find(&links, 2)) == LINK_SENDS);
	links.natives = 2;
	check(links_sends(&links, links_find(&links, 2)) == LINK_NEEDS_POLLING);
	check(!links_redirects(&links, links_find(&links, 2)));
	links_done(&links);
}

static size_t count_stations(const struct stations *stations, int ifindex, __u16 vlan, __u16 inner)
{
	size_t n = 0;

	for (size_t i = 0; i < stations->n; i++)
		n += stations->list[i].key.ifindex == (__u32)ifindex &&
		     stations->list[i].key.vlan == vlan && stations->list[i].key.inner == inner;
	return n;
}

/* Where frames of a device come from that lies on others: each row has an interface, the tags
 * of the frame, and the number of devices that it reaches there.
 */
void station_messages(void)
{
	static const struct device devices[] = {
		{ 1, NULL, 0, 0, 0, false, 10 },               /* in the bond */
		{ 2, NULL, 0, 0, 0, false, 10 },               /* in the bond */
		{ 10, "bond", 0, 0, 0, false, 20 },            /* in the bridge */
		{ 20, "bridge", 0, 0, 0, false, 0 },           /* on the bond */
		{ 21, "vlan", 20, 5, ETH_P_8021Q, false, 0 },  /* on the bridge */
		{ 22, "vlan", 21, 6, ETH_P_8021Q, false, 0 },  /* in that VLAN */
		{ 23, "vlan", 22, 7, ETH_P_8021Q, false, 0 },  /* three tags */
		{ 24, "macvlan", 21, 0, 0, false, 0 },         /* in that VLAN */
		{ 25, "vlan", 10, 9, ETH_P_8021AD, false, 0 }, /* on the bond */
		{ 26, "vlan", 1, 5, ETH_P_8021Q, true, 0 },    /* of another namespace */
		{ 27, "macvtap", 1, 0, 0, false, 0 },          /* a guest's */
		{ 28, "vlan", 1, 4, ETH_P_8021Q, false, 0 },   /* on the member */
	};
	static const struct {
		int ifindex;
		__u16 vlan, inner;
		size_t n;
	} rows[] = {
		{ 1, 0, 0, 3 }, /* itself, bond, bridge */
		{ 2, 0, 0, 3 },  { 10, 0, 0, 2 }, { 20, 0, 0, 1 }, { 1, 5, 0, 2 }, /* 21, 24 */
		{ 2, 5, 0, 2 },  { 20, 5, 0, 2 }, { 1, 5, 6, 1 },  { 1, 9, 0, 1 },
		{ 20, 9, 0, 0 }, { 1, 6, 5, 0 },  { 1, 7, 0, 0 },  { 1, 4, 0, 1 },
		{ 2, 4, 0, 0 },  { 26, 0, 0, 1 }, { 22, 0, 0, 1 }, { 21, 6, 0, 1 },
	};
	struct addresses addresses = {};
	struct links links = {};
	struct stations stations;
	char buffer[512];

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		check(links_take(&links, link_message(buffer, &devices[i])));
	check(stations_find(&links, &addresses, &stations) == 0);
	check(stations.list[0].key.ifindex == 24 ||
	      stations.list[0].key.vlan == 5); /* the macvlan's */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (count_stations(&stations, rows[i].ifindex, rows[i].vlan, rows[i].inner) !=
		    rows[i].n)
			fail("row %zu: %zu", i,
			     count_stations(&stations, rows[i].ifindex, rows[i].vlan,
					    rows[i].inner));
	stations_done(&stations);
	links_done(&links);
}

/* A message of a neighbour whose every attribute is there. */
static struct nlmsghdr *neighbour_message(char *buffer)
{
	static const __u8 address[16] = { 0xfd, [15] = 1 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = RTM_NEWNEIGH;
	header->ndm_family = AF_INET6;
	header->ndm_ifindex = 1;
	header->ndm_state = NUD_REACHABLE;
	mnl_attr_put(message, NDA_DST, sizeof(address), address);
	mnl_attr_put(message, NDA_LLADDR, sizeof(a_mac), a_mac);
	mnl_attr_put_u32(message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return message;
}

/* The message in a block of memory of exactly its size, so that a checker of
 * memory sees one byte read too many; fed to all parsers.
 */
static void feed(const struct nlmsghdr *message, size_t length)
{
	struct nlmsghdr *copy = malloc(length);
	struct neighbour_entry entry;
	struct neighbour_key key;
	struct links links = {};

	check(copy);
	memcpy(copy, message, length);
	copy->nlmsg_len = length;
	(void)features_take(&links, copy);
	(void)links_take(&links, copy);
	(void)features_take(&links, copy);
	(void)neighbour_entry_parse(copy, &key, &entry);
	links_done(&links);
	free(copy);
}

/* Cut at every length, and with every byte of it wrong. */
void hostile_messages(void)
{
	static const struct device device = { 2, "vlan", 1, 5, ETH_P_8021Q, false, 0 };
	char link[512] = {}, neighbour[512] = {}, features[512] = {};
	static const struct xdp xdp = { XDP_ATTACHED_DRV, 0, 7, 7 };
	struct nlmsghdr *messages[] = { put_xdp(link_message(link, &device), &xdp),
					neighbour_message(neighbour),
					features_message(features, 1, 2, 103) };
	struct neighbour_entry entry;
	struct neighbour_key key;
	size_t i, at, length;
	__u8 *byte, kept;
	int value;

	check(neighbour_entry_parse(messages[1], &key, &entry));
	check(neighbour_entry_usable(&entry) && neighbour_entry_managed(&entry));
	check(memcmp(entry.mac, a_mac, sizeof(a_mac)) == 0 && key.ip.family == SL_FAMILY_IPV6);
	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		length = messages[i]->nlmsg_len;
		for (at = sizeof(struct nlmsghdr); at <= length; at++)
			feed(messages[i], at);
		for (at = sizeof(struct nlmsghdr); at < length; at++) {
			byte = (__u8 *)messages[i] + at;
			kept = *byte;
			for (value = 0; value < 256; value++) {
				*byte = value;
				feed(messages[i], length);
			}
			*byte = kept;
		}
	}
}

void explains(void)
{
	struct nexthop hop = { .state = NEXTHOP_NO_NEIGHBOUR, .device = "eth1" };
	struct ip address;
	char text[256], tiny[8];

	check(ip_parse("10.0.0.1", &address) == 0);
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)),
		     "no neighbour answers for 10.0.0.1 on eth1") == 0);
	check(strcmp(nexthop_explain(&hop, &address, tiny, sizeof(tiny)), "no neig") == 0);
	check(ip_parse("fd00::1", &hop.gateway) == 0);
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)),
		     "no neighbour answers for the gateway fd00::1 on eth1") == 0);
	hop.state = NEXTHOP_LINK_DOWN;
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)),
		     "eth1 is down or has no carrier") == 0);
	hop.state = NEXTHOP_NO_ROUTE;
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)), "no route to 10.0.0.1") ==
	      0);
	hop.state = NEXTHOP_LOCAL;
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)),
		     "10.0.0.1 is an address of this machine") == 0);
	hop.state = NEXTHOP_RESOLVED;
	hop.wire.mtu = 1500;
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)),
		     "10.0.0.1 via fd00::1 is at 00:00:00:00:00:00 on eth1") == 0);
	hop.wire.mtu = 9000;
	check(strcmp(nexthop_explain(&hop, &address, text, sizeof(text)),
		     "10.0.0.1 via fd00::1 is at 00:00:00:00:00:00 on eth1, MTU 9000") == 0);
}
