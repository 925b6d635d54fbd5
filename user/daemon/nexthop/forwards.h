/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether the kernel would forward a packet: `ip route get DESTINATION from SOURCE iif DEVICE`,
 * which fails where rp_filter, or a source that is this machine's own address, has the kernel
 * drop the packet.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_FORWARDS_H
#define SLUICE_DAEMON_NEXTHOP_FORWARDS_H

#include <stdbool.h>

#include "daemon/nexthop/nexthop.h"

struct nexthops;

/* False also where the kernel cannot be asked. */
bool nexthops_forwards(const struct nexthops *hops, const struct forwarded *packet);

/* Whether the address is one of this machine's. */
bool nexthops_is_local(const struct nexthops *hops, const struct ip *ip);

#endif
