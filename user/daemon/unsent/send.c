// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/unsent/send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

/* Protocol 0: the kernel gives the socket no frame. */
int unsent_open_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int unsent_send(int socket, int ifindex, const struct nexthop_way *way, const void *packet,
		size_t length)
{
	bool ipv6 = length && *(const __u8 *)packet >> 4 == 6;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP),
		.sll_ifindex = ifindex,
		.sll_halen = way->addressed ? ETH_ALEN : 0,
	};

	memcpy(to.sll_addr, way->mac, ETH_ALEN);
	return sendto(socket, packet, length, 0, (const struct sockaddr *)&to, sizeof(to)) < 0
		       ? -errno
		       : 0;
}
