/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Next hops: which device and which MAC addresses lead to an address, from the
 * kernel's routes, neighbours and links over netlink, and followed as they
 * change. Asks the kernel to resolve what is missing, and keeps it fresh.
 * Knows nothing of services or maps.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_NEXTHOPS_H
#define SLUICE_DAEMON_NEXTHOP_NEXTHOPS_H

#include <net/if.h>

#include "lib/base/addr.h"

struct uv_loop_s;
struct diag;
struct hops;
struct hop_watch;

enum hop_state {
	HOP_RESOLVED,
	HOP_NO_NEIGHBOUR, /* asked for, no answer (yet) */
	HOP_NO_ROUTE,
	HOP_LINK_DOWN,   /* the device is down or has no carrier */
	HOP_LOCAL,       /* the address is this machine's own: nowhere to forward to */
	HOP_UNSUPPORTED, /* the device takes no frames from XDP, or is a VLAN inside a VLAN */
};

struct hop {
	enum hop_state state;
	struct sl_hop wire; /* valid when resolved. A VLAN device is given as its parent + id */
	struct ip gateway;  /* family 0: on link */
	char device[IF_NAMESIZE]; /* as the route names it; "" where there is no route */
};

/* Called from the loop, never from within a call of this module, after the hop
 * of the watched address has changed.
 */
typedef void hop_changed_fn(void *arg);

/* Opens netlink, subscribes, loads links and neighbours. 0 or -errno. */
int hops_new(struct uv_loop_s *loop, struct diag *diag, struct hops **ret_hops);

/* Frees at once what the loop does not hold; run the loop until it is empty
 * afterwards. Every watch must have been freed. Accepts NULL.
 */
void hops_free(struct hops *hops);

/* Watches an address; watches of one address share the work. The first state
 * is there at once (hop_watch_get). 0 or -errno.
 */
int hop_watch_new(struct hops *hops, const struct ip *ip, hop_changed_fn *changed, void *arg,
		  struct hop_watch **ret_watch);
void hop_watch_free(struct hop_watch *watch);

/* Every device that frames can be sent to, by the ifindex that routes name. */
typedef void hop_device_fn(void *arg, unsigned ifindex, const struct sl_device *device);
void hops_each_device(const struct hops *hops, hop_device_fn *each, void *arg);

/* From now on, calls `changed` from the loop after devices have come, gone or
 * changed. One alone can ask.
 */
void hops_follow_devices(struct hops *hops, hop_changed_fn *changed, void *arg);

/* From now on, calls `changed` from the loop after the kernel has told of anything that
 * a way may depend on: routes, rules, addresses, neighbours, links, forwarding. One
 * alone can ask.
 */
void hops_follow_changes(struct hops *hops, hop_changed_fn *changed, void *arg);

/* Valid until the loop runs again. */
const struct hop *hop_watch_get(const struct hop_watch *watch);

/* "no neighbour answers for 10.0.0.1 on eth1", for status and log; returns
 * buffer.
 */
const char *hop_explain(const struct hop *hop, const struct ip *ip, char *buffer,
			unsigned long size);

#endif
