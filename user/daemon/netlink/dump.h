/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A dump that is read in steps, from the loop, on a socket of its own: however long the
 * kernel's table is, everything else goes on meanwhile.
 */
#ifndef SLUICE_DAEMON_NETLINK_DUMP_H
#define SLUICE_DAEMON_NETLINK_DUMP_H

#include "daemon/netlink/netlink.h"

struct netlink_dump;

struct netlink_dump_reader {
	/* A message of the dump. Must not call this module. */
	void (*message)(const struct nlmsghdr *message, void *arg);
	/* The dump is over. error: 0, or the -errno why it is not complete. It may begin
	 * another one.
	 */
	void (*end)(int error, void *arg);
	void *arg;
};

/* 0 or -errno and diag. */
int netlink_dump_new(struct uv_loop_s *loop, const struct netlink_dump_reader *reader,
		     struct diag *diag, struct netlink_dump **ret_dump);

/* The memory goes when the loop has run. Accepts NULL. */
void netlink_dump_free(struct netlink_dump *dump);

/* Begins a dump; none is under way. 0 or -errno, and then `end` is not called. */
int netlink_dump_begin(struct netlink_dump *dump, struct nlmsghdr *request);

#endif
