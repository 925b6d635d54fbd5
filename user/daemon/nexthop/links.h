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
	LINK_PLAIN,   /* Ethernet: hardware, or a software device that can take frames from XDP */
	LINK_VLAN,    /* 802.1Q, on a parent in this namespace */
	LINK_SPECIAL, /* Ethernet, and takes frames from XDP only if the kernel says so: bridges and
		       * the like */
	LINK_OTHER,   /* without MAC addresses, not 802.1Q's VLANs */
};

/* Whether a device takes frames that XDP redirects to it. */
enum link_takes {
	LINK_TAKES_UNKNOWN, /* the kernel does not say */
	LINK_TAKES_NO,
	LINK_TAKES_YES,
};

/* Whether frames can be sent from XDP through a device, and what it lacks. */
enum link_sends {
	LINK_SENDS,
	LINK_NEEDS_POLLING, /* veth: the other end does not poll */
	LINK_NEEDS_PROGRAM, /* many drivers take frames only while they run an XDP program */
};

/* The part that a device has in the way of frames that arrive by another one. */
enum link_role {
	LINK_ROLE_NONE,
	LINK_ROLE_BRIDGE, /* it gets frames by its ports; its forwarding database tells them apart */
	LINK_ROLE_BOND,   /* bond or team: the frames of the devices in it are its own */
	LINK_ROLE_VLAN,   /* it gets those with its tag from its parent */
	LINK_ROLE_MACVLAN, /* it gets those to its MAC address from its parent */
};

struct link {
	struct hash_node node;
	int ifindex;
	enum link_kind kind;
	bool veth;
	bool native; /* runs an XDP program in the driver */
	bool asked;  /* the kernel was asked what it takes */
	enum link_takes takes;
	enum link_role role;
	bool up;       /* by the operator, and has carrier */
	bool enabled;  /* by the operator */
	bool ethernet; /* has a MAC address, and neighbours with such */
	char name[IF_NAMESIZE];
	__u8 mac[6];
	__u32 mtu;     /* 0: not told */
	__u32 program; /* the id of the XDP program that the kernel names; 0: none */
	__u16 vlan;    /* id */
	int parent; /* ifindex of a VLAN's or macvlan's; of the other end of a veth; 0: not here */
	int master; /* ifindex of the bridge, bond or the like that it is in; 0: in none */
	unsigned round; /* of links_load() */
	/* Tells the device from an earlier one that had its ifindex; never 0. */
	unsigned long long serial;
};

/* Zeroed: knows no links. */
struct links {
	struct hashtable by_index;
	unsigned round;
	unsigned long long serial; /* the last one */
	bool unasked;              /* there is a device whose `asked` is not set */
	unsigned natives;          /* interfaces that run sluice's program in the driver */
	bool short_of_memory;      /* something was missed; links_load() clears it */
};

/* Reads all of them again. 0 or -errno. */
int links_load(struct links *links, struct netlink *netlink);

/* Takes in RTM_NEWLINK and RTM_DELLINK; true when something has changed here. */
bool links_take(struct links *links, const struct nlmsghdr *message);

/* NULL where there is none; valid until the next change. */
const struct link *links_find(const struct links *links, int ifindex);

/* Each of them, in no order: NULL starts, NULL is the end. */
const struct link *links_next(const struct links *links, const struct link *link);

/* The device that carries link's frames: itself, or a VLAN device's parent. NULL:
 * it carries none that we could make.
 */
const struct link *links_carrier(const struct links *links, const struct link *link);

/* Whether the program can send frames through a carrier: those that came in by another device,
 * and those that came in by it. In generic mode it can through all.
 */
enum link_sends links_sends(const struct links *links, const struct link *carrier);

/* Whether the program can redirect frames to a carrier. */
bool links_redirects(const struct links *links, const struct link *carrier);

/* Notes what the kernel says of a device; true when that changes something. */
bool links_set_takes(struct links *links, int ifindex, enum link_takes takes);

/* A device that the kernel was not asked about yet; it counts as asked from now on. NULL: there
 * is none.
 */
const struct link *links_next_unasked(struct links *links);

void links_done(struct links *links);

#endif
