/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stations of this machine: by which interface, VLAN and MAC address frames reach it. A
 * frame reaches a device also by those below it: the ports of a bridge, the members of a bond,
 * the parent of a VLAN or macvlan device.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_STATIONS_H
#define SLUICE_DAEMON_NEXTHOP_STATIONS_H

#include <stddef.h>

#include "sluice/ours.h"

struct addresses;
struct links;

struct station {
	struct sl_station key;
	__u32 state; /* SL_STATION_* */
};

struct stations {
	struct station *list; /* owned; some may be there twice */
	size_t n, room;
};

/* All of them; those of macvlan devices, which most frames of a service are sent to where a
 * virtual router has one, come first. 0 or -ENOMEM; stations_done() frees, also after a failure.
 */
int stations_find(const struct links *links, const struct addresses *addresses,
		  struct stations *ret_stations);
void stations_done(struct stations *stations);

#endif
