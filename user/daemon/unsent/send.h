/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sends IP packets by a device, past the kernel's routes, firewall and fragmentation.
 */
#ifndef SLUICE_DAEMON_UNSENT_SEND_H
#define SLUICE_DAEMON_UNSENT_SEND_H

#include <linux/types.h>
#include <stddef.h>

#include "daemon/nexthop/used.h"

/* The one socket; to open it needs CAP_NET_RAW, to send does not. It receives nothing. A
 * descriptor, or -errno.
 */
int unsent_open_socket(void);

/* Sends a packet, from the IP header on, by the way, which is open. 0 or -errno. */
int unsent_send(int socket, int ifindex, const struct nexthop_way *way, const void *packet,
		size_t length);

#endif
