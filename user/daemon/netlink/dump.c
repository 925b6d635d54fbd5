// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/netlink/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "daemon/netlink/socket.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define AT_ONCE 2 /* messages of the kernel's, each of some hundred entries, per turn of the loop */
#define BUFFER  (256 << 10)

struct netlink_dump {
	struct mnl_socket *socket;
	uv_poll_t poll;
	bool polling; /* poll is the loop's: it must be closed before this is freed */
	bool running;
	bool torn; /* the table has changed meanwhile */
	__u32 sequence;
	struct netlink_dump_reader reader;
	char received[NETLINK_BUFFER_SIZE];
};

static void finish(struct netlink_dump *dump, int error)
{
	dump->running = false;
	dump->reader.end(error ?: dump->torn ? -EINTR : 0, dump->reader.arg);
}

/* Whether the dump goes on behind this message. */
static bool take(struct netlink_dump *dump, const struct nlmsghdr *message)
{
	if (message->nlmsg_seq != dump->sequence)
		return true;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->torn = true;
	if (message->nlmsg_type != NLMSG_ERROR && message->nlmsg_type != NLMSG_DONE) {
		dump->reader.message(message, dump->reader.arg);
		return true;
	}
	finish(dump, message->nlmsg_type == NLMSG_DONE ? netlink_dump_error(message)
						       : netlink_message_error(message));
	return false;
}

/* Whether there may be more to read now. */
static bool read_one(struct netlink_dump *dump)
{
	ssize_t received = netlink_socket_receive(dump->socket, dump->received, MSG_DONTWAIT);
	const struct nlmsghdr *message = (const void *)dump->received;
	int left = (int)received;

	if (received == -EAGAIN)
		return false;
	if (received < 0) {
		finish(dump, (int)received);
		return false;
	}
	for (; netlink_message_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (!take(dump, message))
			return false;
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct netlink_dump *dump = poll->data;
	int n = AT_ONCE;

	(void)status;
	(void)events;
	if (!dump->running) { /* the rest of one that has failed */
		(void)netlink_socket_receive(dump->socket, dump->received, MSG_DONTWAIT);
		return;
	}
	while (n-- && read_one(dump))
		;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void netlink_dump_free(struct netlink_dump *dump)
{
	if (!dump)
		return;
	if (dump->polling)
		uv_close((uv_handle_t *)&dump->poll, on_closed);
	if (dump->socket)
		(void)mnl_socket_close(dump->socket);
	if (!dump->polling)
		free(dump);
}

DEFINE_CLEANUP(netlink_dump_free, struct netlink_dump *);

int netlink_dump_new(struct uv_loop_s *loop, const struct netlink_dump_reader *reader,
		     struct diag *diag, struct netlink_dump **ret_dump)
{
	_cleanup_(netlink_dump_freep) struct netlink_dump *dump = calloc(1, sizeof(*dump));
	int error;

	if (!dump)
		return diag_no_memory(diag);
	dump->reader = *reader;
	error = netlink_socket_open(NETLINK_ROUTE, BUFFER, &dump->socket);
	if (error)
		return diag_set(diag, -error, "cannot open a netlink socket: %s", strerror(-error));
	dump->poll.data = dump;
	error = uv_poll_init(loop, &dump->poll, mnl_socket_get_fd(dump->socket));
	if (error)
		return diag_set(diag, -error, "cannot watch netlink: %s", uv_strerror(error));
	dump->polling = true;
	error = uv_poll_start(&dump->poll, UV_READABLE, on_readable);
	if (error)
		return diag_set(diag, -error, "cannot watch netlink: %s", uv_strerror(error));
	*ret_dump = TAKE_PTR(dump);
	return 0;
}

int netlink_dump_begin(struct netlink_dump *dump, struct nlmsghdr *request)
{
	request->nlmsg_flags |= NLM_F_DUMP;
	request->nlmsg_seq = ++dump->sequence;
	if (mnl_socket_sendto(dump->socket, request, request->nlmsg_len) < 0)
		return -errno;
	dump->torn = false;
	dump->running = true;
	return 0;
}
