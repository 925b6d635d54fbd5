/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Links, addresses' neighbours, routes and rules, by rtnetlink, in the network
 * namespace that the thread is in. Each function is one or more requests that
 * the kernel has answered when it returns: 0 or its -errno.
 */
#ifndef SLUICE_DAEMON_RESPONDER_LINK_H
#define SLUICE_DAEMON_RESPONDER_LINK_H

#include <linux/types.h>

/* A veth pair, both ends with addresses that are given. */
struct responder_veth {
	const char *outer, *inner; /* names */
	__u8 outer_mac[6], inner_mac[6];
	int inner_ns; /* descriptor of the namespace that the inner end is in */
};

int link_add_veth(const struct responder_veth *veth);
int link_set_up(int ifindex);
int link_delete(int ifindex);

/* All packets leave over the link, to the neighbour with this MAC address, and are
 * small enough for any path. family: AF_*.
 */
int link_add_way_out(int family, int ifindex, const __u8 mac[static 6]);

/* What comes in over the link is for this machine, whatever its destination;
 * nothing else is. Call it last: the kernel accepts no next hop that it takes for
 * itself.
 */
int link_own_everything(int family, const char *name);

#endif
