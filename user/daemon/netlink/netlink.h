/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two netlink sockets: one to ask on, with the answer there at once (the
 * kernel answers within the send), one to listen on, from the loop. They are
 * apart so that an answer never waits behind changes. Every message that is handed
 * on comes from the kernel and is whole; what is in it is read by the functions
 * at the end, which check lengths.
 */
#ifndef SLUICE_DAEMON_NETLINK_NETLINK_H
#define SLUICE_DAEMON_NETLINK_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"

struct uv_loop_s;
struct diag;
struct netlink;

#define NETLINK_REQUEST_SIZE 128 /* room for any request of ours */

struct netlink_listener {
	/* News. Must not call this module. */
	void (*message)(const struct nlmsghdr *message, void *arg);
	/* After each run of messages. lost: some were dropped, and the changes that came
	 * before are all handed on: read everything again. Called last, so it may do
	 * anything, netlink_free() too.
	 */
	void (*end)(bool lost, void *arg);
	void *arg;
};

typedef void netlink_answer_fn(const struct nlmsghdr *message, void *arg);

/* rtnetlink. Subscribed when it returns: what is dumped afterwards misses no change. 0 or
 * -errno and diag.
 */
int netlink_new(struct uv_loop_s *loop, const struct netlink_listener *listener, struct diag *diag,
		struct netlink **ret_netlink);

/* A family of generic netlink, and the group of it that tells of changes; as above. *ret_type is
 * the type of its messages. -ENOENT: this kernel does not have it.
 */
struct netlink_family {
	const char *name, *group;
};
int netlink_new_generic(struct uv_loop_s *loop, const struct netlink_listener *listener,
			const struct netlink_family *family, struct diag *diag, __u16 *ret_type,
			struct netlink **ret_netlink);

/* The memory goes when the loop has run. Accepts NULL. */
void netlink_free(struct netlink *netlink);

/* Hands on the changes that are there now, without the call of `end`; returns what
 * it would have told.
 */
bool netlink_hear(struct netlink *netlink);

/* Begins a request in buffer. */
struct nlmsghdr *netlink_begin(char buffer[static NETLINK_REQUEST_SIZE], __u16 type, __u16 flags);

/* The same for a command of a family of generic netlink. */
struct nlmsghdr *netlink_begin_generic(char buffer[static NETLINK_REQUEST_SIZE], __u16 type,
				       __u8 command);

/* Sends a request that has one answer. 0, or the kernel's -errno: then answer
 * has not been called.
 */
int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, netlink_answer_fn *answer,
		void *arg);

/* Sends a request for a dump, again when the dump was not consistent. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_answer_fn *answer,
		 void *arg);

/* Sends messages, one behind the other, that want no answer. 0, or the last
 * -errno that the kernel has for any of them.
 */
int netlink_tell(struct netlink *netlink, const void *messages, size_t length);

/* Puts attributes 0 to max, behind a header of `header` bytes, into
 * ret_attrs[max + 1]: NULL where there is none. False: shorter than the header.
 */
bool netlink_attrs(const struct nlmsghdr *message, size_t header, __u16 max,
		   const struct nlattr **ret_attrs);

/* The same for what is nested in nest. */
void netlink_nested(const struct nlattr *nest, __u16 max, const struct nlattr **ret_attrs);

/* The same for bytes that hold attributes, one behind the other. */
void netlink_attributes(const void *bytes, size_t length, __u16 max,
			const struct nlattr **ret_attrs);

/* Each false, and nothing set, when attr is NULL or has the wrong size. */
bool netlink_get_u16(const struct nlattr *attr, __u16 *ret_value);
bool netlink_get_u32(const struct nlattr *attr, __u32 *ret_value);
bool netlink_get_u64(const struct nlattr *attr, __u64 *ret_value);
bool netlink_get_mac(const struct nlattr *attr, __u8 ret_mac[static 6]);
bool netlink_get_text(const struct nlattr *attr, const char **ret_text);
bool netlink_get_ip(const struct nlattr *attr, int af, struct ip *ret_ip);

/* An address as a struct rtvia holds it. */
bool netlink_get_via(const struct nlattr *attr, struct ip *ret_ip);

void netlink_put_ip(struct nlmsghdr *request, __u16 type, const struct ip *ip);

/* AF_INET or AF_INET6. */
int netlink_af(const struct ip *ip);

/* ---- for netlink/ alone --------------------------------------------------------- */

/* Both sockets, of this protocol (NETLINK_*), without a subscription. */
int netlink_open(struct uv_loop_s *loop, int protocol, const struct netlink_listener *listener,
		 struct diag *diag, struct netlink **ret_netlink);

/* Subscribes to a group. 0 or -errno. */
int netlink_join(struct netlink *netlink, int group);

#endif
