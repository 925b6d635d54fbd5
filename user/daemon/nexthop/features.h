/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether devices take frames that XDP redirects to them, as the kernel says it itself: the family
 * "netdev" of generic netlink, which Linux has since 6.3. On older kernels nothing is known,
 * except of a veth whose other end is in this namespace.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_FEATURES_H
#define SLUICE_DAEMON_NEXTHOP_FEATURES_H

#include <linux/types.h>
#include <stdbool.h>

struct links;
struct netlink;
struct netlink_listener;
struct nlmsghdr;
struct uv_loop_s;

/* Zeroed: the kernel says nothing. */
struct features {
	struct netlink *netlink; /* NULL: it does not have the family */
	__u16 type;              /* of the family's messages */
};

/* Opens the family, subscribed to its changes. It is no error if the kernel does not have it. */
void features_open(struct features *features, struct uv_loop_s *loop,
		   const struct netlink_listener *listener);
void features_close(struct features *features);

/* Takes in a message of the family; true when something has changed. */
bool features_take(struct links *links, const struct nlmsghdr *message);

/* Asks for all devices, after messages were lost. */
void features_load(struct features *features, struct links *links);

/* Asks for the devices that were not asked for yet; true when something has changed. */
bool features_ask(struct features *features, struct links *links);

#endif
