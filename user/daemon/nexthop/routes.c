// SPDX-License-Identifier: BSD-2-Clause
/* One route lookup, answered by the kernel's own forwarding tables and rules:
 * nothing here could disagree with them.
 */
#include "daemon/nexthop/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/netlink/netlink.h"

/* What the kernel answers when no route leads there, or the one that does refuses:
 * none or `throw`, `unreachable`, `prohibit`, `blackhole`; EOPNOTSUPP is a kernel
 * without IPv6.
 */
static bool means_no_route(int error)
{
	return error == -ENETUNREACH || error == -EHOSTUNREACH || error == -EACCES ||
	       error == -EINVAL || error == -ESRCH || error == -EOPNOTSUPP;
}

static enum route_kind kind_of(__u8 type)
{
	switch (type) {
	case RTN_UNICAST:
		return ROUTE_UNICAST;
	case RTN_LOCAL:
	case RTN_ANYCAST:
		return ROUTE_LOCAL;
	default: /* the kernel's enum, and it may grow */
		return ROUTE_NONE;
	}
}

static void on_answer(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[RTA_MAX + 1], *metrics[RTAX_MTU + 1];
	struct route *route = arg;
	__u32 ifindex;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_attrs(message, sizeof(*header), RTA_MAX, attrs) ||
	    !netlink_get_u32(attrs[RTA_OIF], &ifindex))
		return;
	route->kind = kind_of(header->rtm_type);
	route->ifindex = (int)ifindex;
	if (!netlink_get_ip(attrs[RTA_GATEWAY], header->rtm_family, &route->gateway))
		(void)netlink_get_via(attrs[RTA_VIA], &route->gateway);
	netlink_nested(attrs[RTA_METRICS], RTAX_MTU, metrics);
	(void)netlink_get_u32(metrics[RTAX_MTU], &route->mtu);
}

static void add_way(struct route *route, int ifindex)
{
	if (route->n_ways < ROUTE_WAYS)
		route->ways[route->n_ways++] = ifindex;
}

/* One struct rtnexthop behind the other, each with its attributes. */
static void read_multipath(const struct nlattr *attr, struct route *route)
{
	const char *place = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr), step;
	struct rtnexthop hop;

	for (; left >= sizeof(hop); place += step, left -= step) {
		memcpy(&hop, place, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		add_way(route, hop.rtnh_ifindex);
		step = RTNH_ALIGN((size_t)hop.rtnh_len);
		if (step > left)
			return;
	}
}

static void on_entry(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attrs[RTA_MAX + 1];
	struct route *route = arg;
	__u32 ifindex;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_attrs(message, sizeof(struct rtmsg), RTA_MAX, attrs))
		return;
	if (attrs[RTA_MULTIPATH])
		read_multipath(attrs[RTA_MULTIPATH], route);
	else if (netlink_get_u32(attrs[RTA_OIF], &ifindex))
		add_way(route, (int)ifindex);
}

static __u8 address_bits(const struct ip *ip)
{
	return ip->family == SL_FAMILY_IPV4 ? 32 : 128;
}

/* Begins a question for the route to an address in buffer. */
static struct nlmsghdr *begin(char buffer[static NETLINK_REQUEST_SIZE],
			      const struct ip *destination)
{
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->rtm_family = netlink_af(destination);
	header->rtm_dst_len = address_bits(destination);
	netlink_put_ip(request, RTA_DST, destination);
	return request;
}

/* flags: RTM_F_FIB_MATCH asks for the table's entry instead of what follows from it. */
static int ask(struct netlink *netlink, const struct ip *destination, unsigned flags,
	       netlink_answer_fn *answer, struct route *route)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = begin(buffer, destination);
	struct rtmsg *header = mnl_nlmsg_get_payload(request);
	int error;

	header->rtm_flags = flags;
	error = netlink_ask(netlink, request, answer, route);
	return error < 0 && means_no_route(error) ? 0 : error;
}

int route_lookup(struct netlink *netlink, const struct ip *destination, struct route *ret_route)
{
	struct route route = {};
	int error = ask(netlink, destination, 0, on_answer, &route);

	if (!error && route.kind == ROUTE_UNICAST)
		error = ask(netlink, destination, RTM_F_FIB_MATCH, on_entry, &route);
	if (error < 0)
		return error;
	*ret_route = route;
	return 0;
}

bool route_forwards(struct netlink *netlink, const struct forwarded *packet)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = begin(buffer, &packet->destination);
	struct rtmsg *header = mnl_nlmsg_get_payload(request);
	struct route route = {};

	header->rtm_src_len = address_bits(&packet->source);
	netlink_put_ip(request, RTA_SRC, &packet->source);
	mnl_attr_put_u32(request, RTA_IIF, packet->ingress);
	return !netlink_ask(netlink, request, on_answer, &route) && route.kind == ROUTE_UNICAST;
}
