/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sends IP packets by a device, past the kernel's routes, firewall and fragmentation.
 */
#ifndef SLUICE_DAEMON_UNSENT_SEND_H
#define SLUICE_DAEMON_UNSENT_SEND_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The device and the frame's header. */
struct unsent_way {
	int ifindex;
	bool addressed; /* to the MAC address; the device needs none otherwise */
	__u8 mac[6];
	__be16 vlan;  /* 0: untagged */
	unsigned mtu; /* the longest IP packet */
};

/* The one socket; to open it needs CAP_NET_RAW, to send does not. It receives nothing. A
 * descriptor, or -errno.
 */
int unsent_open_socket(void);

/* Sends a packet, from the IP header on; in fragments, if it is too long and may be cut. 0 or
 * -errno.
 */
int unsent_send(int socket, const struct unsent_way *way, const void *packet, size_t length);

#endif
