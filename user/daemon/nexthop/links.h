/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine's network devices, as far as a next hop and the attaching to interfaces need
 * them: what was dumped, kept true by the kernel's changes. No callbacks: who feeds it knows.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_LINKS_H
#define SLUICE_DAEMON_NEXTHOP_LINKS_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>

#include "lib/base/hashtable.h"

struct netlink;
struct nlmsghdr;

enum link_kind {
	LINK_PLAIN, /* Ethernet, and takes frames from XDP */
	LINK_VLAN,  /* 802.1Q, on a parent in this namespace */
	LINK_OTHER, /* without MAC addresses, not 802.1Q's VLANs, bridges and the like */
};

struct link {
	struct hash_node node;
	int ifindex;
	enum link_kind kind;
	bool up; /* by the operator, and has carrier */
	char name[IF_NAMESIZE];
	__u8 mac[6];
	__u32 mtu;      /* 0: not told */
	__u32 program;  /* the id of the XDP program that the kernel names; 0: none */
	__u16 vlan;     /* id */
	int parent;     /* ifindex of a VLAN's */
	unsigned round; /* of links_load() */
	/* Tells the device from an earlier one that had its ifindex; never 0. */
	unsigned long long serial;
};

/* Zeroed: knows no links. */
struct links {
	struct hashtable by_index;
	unsigned round;
	unsigned long long serial; /* the last one */
	bool short_of_memory;      /* something was missed; links_load() clears it */
};

/* Reads all of them again. 0 or -errno. */
int links_load(struct links *links, struct netlink *netlink);

/* Takes in RTM_NEWLINK and RTM_DELLINK; true when something has changed here. */
bool links_take(struct links *links, const struct nlmsghdr *message);

/* NULL where there is none; valid until the next change. */
const struct link *links_find(const struct links *links, int ifindex);

/* The device that carries link's frames: itself, or a VLAN device's parent. NULL:
 * it carries none that we could make.
 */
const struct link *links_carrier(const struct links *links, const struct link *link);

void links_done(struct links *links);

#endif
