// SPDX-License-Identifier: BSD-2-Clause
/* Netlink over libmnl and libuv. Invariant: between two calls nothing that
 * matters is unread on the asking socket; leftovers of a request that failed
 * half-way are told by their sequence number and skipped.
 */
#include "daemon/netlink/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <uv.h>

#include "daemon/netlink/socket.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define LISTEN_BUFFER  (16 << 20)
#define ASK_BUFFER     (1 << 20)
#define HEAR_MAX       1024 /* messages per turn of the loop */
#define DUMP_TRIES     5
#define ANSWER_SECONDS 2 /* never needed: the kernel answers within the send */

struct netlink {
	struct mnl_socket *ask;
	struct mnl_socket *subscription;
	uv_poll_t poll;
	bool polling; /* poll is the loop's: it must be closed before this is freed */
	bool lost;
	__u32 sequence;
	struct netlink_listener listener;
	char answer[NETLINK_BUFFER_SIZE];
	char heard[NETLINK_BUFFER_SIZE]; /* apart: `end` asks */
};

bool netlink_hear(struct netlink *netlink)
{
	const struct nlmsghdr *message;
	ssize_t received;
	int i, left;
	bool lost;

	for (i = 0; i < HEAR_MAX; i++) {
		received =
			netlink_socket_receive(netlink->subscription, netlink->heard, MSG_DONTWAIT);
		if (received == -EAGAIN) {
			lost = netlink->lost;
			netlink->lost = false;
			return lost;
		}
		/* ENOBUFS: the kernel drops messages until all that is queued is read. */
		if (received < 0)
			netlink->lost = true;
		left = received < 0 ? 0 : (int)received;
		for (message = (const void *)netlink->heard; netlink_message_ok(message, left);
		     message = mnl_nlmsg_next(message, &left))
			netlink->listener.message(message, netlink->listener.arg);
	}
	return false; /* there is more: the loop comes back */
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct netlink *netlink = poll->data;
	bool lost = netlink_hear(netlink);

	(void)status;
	(void)events;
	netlink->listener.end(lost, netlink->listener.arg);
}

int netlink_join(struct netlink *netlink, int group)
{
	return mnl_socket_setsockopt(netlink->subscription, NETLINK_ADD_MEMBERSHIP, &group,
				     sizeof(group)) < 0
		       ? -errno
		       : 0;
}

static int subscribe(struct netlink *netlink)
{
	static const int groups[] = {
		RTNLGRP_LINK,         RTNLGRP_NEIGH,       RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,
		RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_NETCONF,
		RTNLGRP_IPV6_NETCONF,
	};
	int error = 0;

	for (size_t i = 0; !error && i < ARRAY_SIZE(groups); i++)
		error = netlink_join(netlink, groups[i]);
	/* Linux before 5.3 has no next hop objects, and nothing to say of them. */
	if (!error)
		(void)netlink_join(netlink, RTNLGRP_NEXTHOP);
	return error;
}

static int open_sockets(struct netlink *netlink, int protocol)
{
	const struct timeval timeout = { .tv_sec = ANSWER_SECONDS };
	int error;

	error = netlink_socket_open(protocol, ASK_BUFFER, &netlink->ask);
	if (error)
		return error;
	if (setsockopt(mnl_socket_get_fd(netlink->ask), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0)
		return -errno;
	return netlink_socket_open(protocol, LISTEN_BUFFER, &netlink->subscription);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	/* Before the socket: the loop must have let go of it when it is closed. */
	if (netlink->polling)
		uv_close((uv_handle_t *)&netlink->poll, on_closed);
	if (netlink->ask)
		(void)mnl_socket_close(netlink->ask);
	if (netlink->subscription)
		(void)mnl_socket_close(netlink->subscription);
	if (!netlink->polling)
		free(netlink);
}

DEFINE_CLEANUP(netlink_free, struct netlink *);

int netlink_open(struct uv_loop_s *loop, int protocol, const struct netlink_listener *listener,
		 struct diag *diag, struct netlink **ret_netlink)
{
	_cleanup_(netlink_freep) struct netlink *netlink = calloc(1, sizeof(*netlink));
	int error;

	if (!netlink)
		return diag_no_memory(diag);
	netlink->listener = *listener;
	error = open_sockets(netlink, protocol);
	if (error)
		return diag_set(diag, -error, "cannot open a netlink socket: %s", strerror(-error));
	netlink->poll.data = netlink;
	error = uv_poll_init(loop, &netlink->poll, mnl_socket_get_fd(netlink->subscription));
	if (error)
		return diag_set(diag, -error, "cannot watch netlink: %s", uv_strerror(error));
	netlink->polling = true;
	error = uv_poll_start(&netlink->poll, UV_READABLE, on_readable);
	if (error)
		return diag_set(diag, -error, "cannot watch netlink: %s", uv_strerror(error));
	*ret_netlink = TAKE_PTR(netlink);
	return 0;
}

int netlink_new(struct uv_loop_s *loop, const struct netlink_listener *listener, struct diag *diag,
		struct netlink **ret_netlink)
{
	_cleanup_(netlink_freep) struct netlink *netlink = NULL;
	int error = netlink_open(loop, NETLINK_ROUTE, listener, diag, &netlink);

	if (error)
		return error;
	error = subscribe(netlink);
	if (error)
		return diag_set(diag, -error, "cannot watch netlink: %s", strerror(-error));
	*ret_netlink = TAKE_PTR(netlink);
	return 0;
}

struct nlmsghdr *netlink_begin(char buffer[static NETLINK_REQUEST_SIZE], __u16 type, __u16 flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	return request;
}

/* Reads what the kernel says to `request` up to its end. answer may be called
 * for a part before an error. ret_intr: something changed while it was dumped.
 */
static int collect(struct netlink *netlink, const struct nlmsghdr *request,
		   netlink_answer_fn *answer, void *arg, bool *ret_intr)
{
	const struct nlmsghdr *message;
	ssize_t received;
	int left;

	*ret_intr = false;
	while (true) {
		received = netlink_socket_receive(netlink->ask, netlink->answer, 0);
		if (received < 0)
			return (int)received;
		left = (int)received;
		for (message = (const void *)netlink->answer; netlink_message_ok(message, left);
		     message = mnl_nlmsg_next(message, &left)) {
			if (message->nlmsg_seq != request->nlmsg_seq)
				continue;
			if (message->nlmsg_flags & NLM_F_DUMP_INTR)
				*ret_intr = true;
			if (message->nlmsg_type == NLMSG_ERROR)
				return netlink_message_error(message);
			if (message->nlmsg_type == NLMSG_DONE)
				return netlink_dump_error(message);
			answer(message, arg);
			if (!(request->nlmsg_flags & NLM_F_DUMP))
				return 0;
		}
	}
}

static int send_request(struct netlink *netlink, struct nlmsghdr *request)
{
	request->nlmsg_seq = ++netlink->sequence;
	return mnl_socket_sendto(netlink->ask, request, request->nlmsg_len) < 0 ? -errno : 0;
}

int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, netlink_answer_fn *answer,
		void *arg)
{
	bool ignored;
	int error = send_request(netlink, request);

	return error ?: collect(netlink, request, answer, arg, &ignored);
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_answer_fn *answer,
		 void *arg)
{
	bool again = true;
	int i, error;

	request->nlmsg_flags |= NLM_F_DUMP;
	/* If it never stands still, the changes that follow put it right. */
	for (i = 0; i < DUMP_TRIES && again; i++) {
		error = send_request(netlink, request);
		if (error == 0)
			error = collect(netlink, request, answer, arg, &again);
		if (error)
			return error;
	}
	return 0;
}

int netlink_tell(struct netlink *netlink, const void *messages, size_t length)
{
	const struct nlmsghdr *message;
	ssize_t received;
	int error = 0, left;

	if (mnl_socket_sendto(netlink->ask, messages, length) < 0)
		return -errno;
	while (true) {
		received = netlink_socket_receive(netlink->ask, netlink->answer, MSG_DONTWAIT);
		if (received == -EAGAIN)
			return error;
		if (received < 0)
			return (int)received;
		left = (int)received;
		for (message = (const void *)netlink->answer; netlink_message_ok(message, left);
		     message = mnl_nlmsg_next(message, &left))
			if (message->nlmsg_type == NLMSG_ERROR &&
			    netlink_message_error(message) < 0)
				error = netlink_message_error(message);
	}
}
