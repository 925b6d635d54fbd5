// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/netlink/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

ssize_t netlink_socket_receive(struct mnl_socket *socket, char buffer[static NETLINK_BUFFER_SIZE],
			       int flags)
{
	struct iovec piece = { .iov_base = buffer, .iov_len = NETLINK_BUFFER_SIZE };
	struct sockaddr_nl from = {};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &piece,
		.msg_iovlen = 1,
	};
	ssize_t length;

	do
		length = recvmsg(mnl_socket_get_fd(socket), &message, flags);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return from.nl_pid == 0 ? length : 0;
}

bool netlink_message_ok(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (unsigned)left;
}

int netlink_socket_open(int protocol, size_t buffer, struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	int one = 1, size = (int)buffer, fd;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		(void)mnl_socket_close(socket);
		return error;
	}
	/* All of these only help: the limit of net.core.rmem_max does not bind us, the
	 * kernel takes our requests literally, and errors come without what we sent.
	 */
	fd = mnl_socket_get_fd(socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	(void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &one, sizeof(one));
	*ret_socket = socket;
	return 0;
}

#define ERRNO_MAX 4095 /* of the kernel's */

/* An error as the kernel numbers them, 0 or -errno: what it is not cannot be negated. */
static int sane_error(int error)
{
	return error > 0 || error < -ERRNO_MAX ? -EBADMSG : error;
}

int netlink_message_error(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	return mnl_nlmsg_get_payload_len(message) < sizeof(*error) ? -EBADMSG
								   : sane_error(error->error);
}

int netlink_dump_error(const struct nlmsghdr *message)
{
	const int *error = mnl_nlmsg_get_payload(message);

	return mnl_nlmsg_get_payload_len(message) < sizeof(*error) || *error > 0
		       ? 0
		       : sane_error(*error);
}
