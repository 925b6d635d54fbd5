// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/ports.h"

#include "daemon/nexthop/watched.h"

void nexthops_follow_ports(struct nexthops *hops, nexthops_port_fn *changed, void *arg)
{
	hops->ports.changed = changed;
	hops->ports.arg = arg;
}

bool nexthops_find_port(struct nexthops *hops, const struct sl_port *port)
{
	return port_set_find(&hops->ports, port);
}
