// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/unsent/send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "daemon/unsent/fragments.h"

/* Protocol 0: the kernel gives the socket no frame. */
int unsent_open_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int send_one(int socket, const struct unsent_way *way, const void *packet, size_t length)
{
	__be16 protocol = htons(*(const __u8 *)packet >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	__be16 tag[] = { way->vlan, protocol };
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = way->vlan ? htons(ETH_P_8021Q) : protocol,
		.sll_ifindex = way->ifindex,
		.sll_halen = way->addressed ? ETH_ALEN : 0,
	};
	struct iovec pieces[] = {
		{ .iov_base = tag, .iov_len = way->vlan ? sizeof(tag) : 0 },
		{ .iov_base = (void *)packet, .iov_len = length },
	};
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = pieces,
		.msg_iovlen = 2,
	};

	memcpy(to.sll_addr, way->mac, ETH_ALEN);
	return sendmsg(socket, &message, 0) < 0 ? -errno : 0;
}

int unsent_send(int socket, const struct unsent_way *way, const void *packet, size_t length)
{
	static unsigned char fragment[FRAGMENT_MAX]; /* too large for the stack */
	struct fragments fragments;
	int error = 0;

	if (!length)
		return -EMSGSIZE;
	if (length <= way->mtu)
		return send_one(socket, way, packet, length);
	if (!fragments_begin(&fragments, packet, length, way->mtu))
		return -EMSGSIZE;
	while (!error && (length = fragments_next(&fragments, fragment)))
		error = send_one(socket, way, fragment, length);
	return error;
}
