/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An rtnetlink socket and the messages that come by it, for netlink/ alone.
 */
#ifndef SLUICE_DAEMON_NETLINK_SOCKET_H
#define SLUICE_DAEMON_NETLINK_SOCKET_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NETLINK_BUFFER_SIZE 65536 /* the kernel's messages to us have 32 KiB at most */

/* protocol: NETLINK_*; buffer: of the kernel's, for what comes. 0 or -errno. */
int netlink_socket_open(int protocol, size_t buffer, struct mnl_socket **ret_socket);

/* The number of bytes, 0 for a message that is not the kernel's, or -errno. */
ssize_t netlink_socket_receive(struct mnl_socket *socket, char buffer[static NETLINK_BUFFER_SIZE],
			       int flags);

/* Whether a message lies in what is left. libmnl 1.0 takes a length of 2 GiB and more
 * for a negative one, which is less than any.
 */
bool netlink_message_ok(const struct nlmsghdr *message, int left);

/* The error that an NLMSG_ERROR carries: 0 or -errno. */
int netlink_message_error(const struct nlmsghdr *message);

/* The end of a dump carries an error, or 0. */
int netlink_dump_error(const struct nlmsghdr *message);

#endif
