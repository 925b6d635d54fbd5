/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ports of bridges: a bridge itself takes no frames from XDP, but the port behind which a MAC
 * address is, as the bridge's forwarding database says, may.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_PORTS_H
#define SLUICE_DAEMON_NEXTHOP_PORTS_H

#include <stdbool.h>

#include "daemon/nexthop/nexthop.h"

struct nexthops;

/* From now on, calls `changed` when the device of a port has been found, or has changed. One
 * alone can ask.
 */
void nexthops_follow_ports(struct nexthops *hops, nexthops_port_fn *changed, void *arg);

/* Looks for a port, and follows it if there is one; whether there is. Only a bridge has ports. */
bool nexthops_find_port(struct nexthops *hops, const struct sl_port *port);

#endif
