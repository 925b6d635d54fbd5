/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which devices packets of a backend may come in by: every one that a route to it may use, and
 * the members of a bond or team, whose frames carry the member's index.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_ORIGINS_H
#define SLUICE_DAEMON_NEXTHOP_ORIGINS_H

#include "sluice/abi.h"

struct links;
struct route;

/* Writes those that differ from the hop's own device and VLAN, in a fixed order; the others are
 * zero. Beyond SL_ORIGINS, none is named.
 */
void origins_find(const struct links *links, const struct route *route, const struct sl_hop *hop,
		  struct sl_origin ret_origins[static SL_ORIGINS]);

#endif
