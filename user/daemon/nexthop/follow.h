/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's changes: of devices, and of everything that a route depends on. Those who
 * watch an address hear of it by nexthops.h; this is for those who ask for all.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_FOLLOW_H
#define SLUICE_DAEMON_NEXTHOP_FOLLOW_H

#include "daemon/nexthop/nexthop.h"

struct links;
struct nexthops;
struct netlink_listener;
struct sl_device;
struct sl_station;

/* All devices, as far as the kernel's messages have arrived; valid until the loop runs again. */
const struct links *nexthops_links(const struct nexthops *hops);

/* Every device that frames can be sent to, by the ifindex that routes name. */
typedef void nexthop_device_fn(void *arg, unsigned ifindex, const struct sl_device *device);
void nexthops_each_device(const struct nexthops *hops, nexthop_device_fn *each, void *arg);

/* From now on, calls `changed` from the loop after devices have come, gone or
 * changed: once for all that the kernel has told of together. One alone can ask.
 */
void nexthops_follow_devices(struct nexthops *hops, nexthop_changed_fn *changed, void *arg);

/* The stations of this machine: of those that share an interface and a VLAN, the busiest come
 * first, and some may come twice. state: SL_STATION_*. 0 or -ENOMEM.
 */
typedef void nexthop_station_fn(void *arg, const struct sl_station *station, __u32 state);
int nexthops_each_station(const struct nexthops *hops, nexthop_station_fn *each, void *arg);

/* The addresses that this machine holds, and the broadcast addresses of its networks; some may
 * come twice.
 */
typedef void nexthop_address_fn(void *arg, const struct ip *ip);
void nexthops_each_address(const struct nexthops *hops, nexthop_address_fn *each, void *arg);

/* From now on, calls `changed` from the loop after those may have changed. One alone can ask. */
void nexthops_follow_own(struct nexthops *hops, nexthop_changed_fn *changed, void *arg);

/* From now on, calls `changed` from the loop after the kernel has told of anything that
 * a way may depend on: routes, rules, addresses, neighbours, links, forwarding. One
 * alone can ask.
 */
void nexthops_follow_changes(struct nexthops *hops, nexthop_changed_fn *changed, void *arg);

/* Says how many interfaces run the program in the driver: where none does, frames can be sent
 * through every device.
 */
void nexthops_set_natives(struct nexthops *hops, unsigned natives);

/* ---- for nexthop/ alone --------------------------------------------------------- */

/* Make the listeners that follow the kernel's changes, and those of what devices can do. */
struct netlink_listener nexthops_listener(struct nexthops *hops);
struct netlink_listener nexthops_features_listener(struct nexthops *hops);

/* To be called after a neighbour came into use. */
void nexthops_set_tend_timer(struct nexthops *hops);

#endif
