/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The IP addresses that this machine holds, on all of its devices: what was dumped, kept true by
 * the kernel's changes.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_ADDRESSES_H
#define SLUICE_DAEMON_NEXTHOP_ADDRESSES_H

#include <stdbool.h>

#include "lib/base/addr.h"
#include "lib/base/hashtable.h"

struct netlink;
struct nlmsghdr;

struct address {
	struct hash_node node;
	int ifindex;
	struct ip ip;
	unsigned bits;  /* of its network's prefix */
	bool automatic; /* an IPv6 address that the kernel has made for the link by itself */
	unsigned round; /* of addresses_load() */
};

/* Zeroed: knows no addresses. */
struct addresses {
	struct hashtable by_key;
	unsigned round;
	bool short_of_memory; /* something was missed; addresses_load() clears it */
};

/* Reads all of them again. 0 or -errno. */
int addresses_load(struct addresses *addresses, struct netlink *netlink);

/* Takes in RTM_NEWADDR and RTM_DELADDR; true when something has changed here. */
bool addresses_take(struct addresses *addresses, const struct nlmsghdr *message);

/* Whether the device holds an address that was given to it: not one that the kernel has made. */
bool addresses_given(const struct addresses *addresses, int ifindex);

/* Each of them, in no order: NULL starts, NULL is the end. */
const struct address *addresses_next(const struct addresses *addresses,
				     const struct address *address);

/* The broadcast address of the address's network. False: it has none. */
bool address_broadcast(const struct address *address, struct ip *ret_ip);

void addresses_done(struct addresses *addresses);

#endif
