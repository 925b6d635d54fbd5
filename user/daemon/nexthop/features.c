// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/features.h"

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "daemon/log.h"
#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/links.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* linux/netdev.h, which the headers of Linux before 6.3 do not have. */
#define NETDEV_CMD_DEV_GET        1
#define NETDEV_CMD_DEV_DEL_NTF    3
#define NETDEV_A_DEV_IFINDEX      1
#define NETDEV_A_DEV_XDP_FEATURES 3
#define NETDEV_XDP_ACT_NDO_XMIT   4

static const struct netlink_family netdev = { .name = "netdev", .group = "mgmt" };

void features_open(struct features *features, struct uv_loop_s *loop,
		   const struct netlink_listener *listener)
{
	struct diag diag = {};

	if (netlink_new_generic(loop, listener, &netdev, &diag, &features->type,
				&features->netlink))
		log_debug("what devices take from XDP is not known: %s", diag.text);
}

void features_close(struct features *features)
{
	netlink_free(features->netlink);
	features->netlink = NULL;
}

bool features_take(struct links *links, const struct nlmsghdr *message)
{
	const struct nlattr *attrs[NETDEV_A_DEV_XDP_FEATURES + 1];
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);
	__u32 ifindex;
	__u64 bits;

	if (!netlink_attrs(message, sizeof(*header), NETDEV_A_DEV_XDP_FEATURES, attrs) ||
	    header->cmd == NETDEV_CMD_DEV_DEL_NTF ||
	    !netlink_get_u32(attrs[NETDEV_A_DEV_IFINDEX], &ifindex) ||
	    !netlink_get_u64(attrs[NETDEV_A_DEV_XDP_FEATURES], &bits))
		return false;
	return links_set_takes(links, (int)ifindex,
			       bits & NETDEV_XDP_ACT_NDO_XMIT ? LINK_TAKES_YES : LINK_TAKES_NO);
}

/* Whether a veth polls for frames: what the other end takes depends on it. */
static bool polls(const struct link *link)
{
	struct ethtool_value gro = { .cmd = ETHTOOL_GGRO };
	struct ifreq request = { .ifr_data = (void *)&gro };
	_cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (link->native)
		return true;
	strcpy(request.ifr_name, link->name);
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request) && gro.data;
}

/* What is known on a kernel without the family. */
static bool look_at_veth(struct links *links, const struct link *link)
{
	if (!link->veth || !link->parent)
		return false;
	return links_set_takes(links, link->parent, polls(link) ? LINK_TAKES_YES : LINK_TAKES_NO);
}

/* What is asked for, and whether it has changed anything. */
struct answer {
	struct links *links;
	bool changed;
};

static void on_answer(const struct nlmsghdr *message, void *arg)
{
	struct answer *answer = arg;

	answer->changed |= features_take(answer->links, message);
}

void features_load(struct features *features, struct links *links)
{
	struct answer answer = { .links = links };
	char buffer[NETLINK_REQUEST_SIZE];
	int error;

	if (!features->netlink)
		return;
	error = netlink_dump(features->netlink,
			     netlink_begin_generic(buffer, features->type, NETDEV_CMD_DEV_GET),
			     on_answer, &answer);
	if (error)
		log_warning("cannot read what devices take from XDP: %s", strerror(-error));
	while (!error && links_next_unasked(links))
		; /* the answers were for all of them */
}

bool features_ask(struct features *features, struct links *links)
{
	struct answer answer = { .links = links };
	const struct link *link;

	while ((link = links_next_unasked(links))) {
		char buffer[NETLINK_REQUEST_SIZE];
		struct nlmsghdr *request;

		if (!features->netlink) {
			answer.changed |= look_at_veth(links, link);
			continue;
		}
		request = netlink_begin_generic(buffer, features->type, NETDEV_CMD_DEV_GET);
		mnl_attr_put_u32(request, NETDEV_A_DEV_IFINDEX, (__u32)link->ifindex);
		/* A device that is gone already has no answer. */
		(void)netlink_ask(features->netlink, request, on_answer, &answer);
	}
	return answer.changed;
}
