// SPDX-License-Identifier: BSD-2-Clause
/* Unlike netlink/netlink.c this follows nothing: a socket for each request, in the namespace
 * of the moment.
 */
#include "daemon/responder/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "lib/base/cleanup.h"

#define REQUEST_SIZE 512
#define ANSWER_SIZE  8192
#define LOOPBACK     1    /* lo is the first device of every namespace */
#define PATH_MTU     1280 /* of IPv6's least link (RFC 8200 section 5) */

/* The neighbour that all packets leave to; nobody has these addresses. */
#define GATEWAY_V4 "169.254.0.1"
#define GATEWAY_V6 "fe80::1"

#define MAKE       (NLM_F_CREATE | NLM_F_EXCL)

DEFINE_CLEANUP(mnl_socket_close, struct mnl_socket *);

static int ask(struct nlmsghdr *request)
{
	_cleanup_(mnl_socket_closep) struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char answer[ANSWER_SIZE];
	ssize_t length;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = 1;
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(socket, answer, sizeof(answer));
	if (length < 0)
		return -errno;
	/* The one message that comes is the error, or its absence. */
	return mnl_cb_run(answer, (size_t)length, 1, mnl_socket_get_portid(socket), NULL, NULL) < 0
		       ? -errno
		       : 0;
}

static struct nlmsghdr *begin(char buffer[static REQUEST_SIZE], __u16 type, __u16 flags)
{
	struct nlmsghdr *request;

	memset(buffer, 0, REQUEST_SIZE);
	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = type;
	request->nlmsg_flags = flags;
	return request;
}

/* ---- links ----------------------------------------------------------------- */

int link_add_veth(const struct responder_veth *veth)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request = begin(buffer, RTM_NEWLINK, MAKE);
	struct nlattr *info, *data, *peer;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, veth->outer);
	mnl_attr_put(request, IFLA_ADDRESS, sizeof(veth->outer_mac), veth->outer_mac);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, veth->inner);
	mnl_attr_put(request, IFLA_ADDRESS, sizeof(veth->inner_mac), veth->inner_mac);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (__u32)veth->inner_ns);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return ask(request);
}

static struct nlmsghdr *begin_link(char buffer[static REQUEST_SIZE], __u16 type, int ifindex)
{
	struct nlmsghdr *request = begin(buffer, type, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(request, sizeof(*link));

	link->ifi_index = ifindex;
	return request;
}

int link_set_up(int ifindex)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request = begin_link(buffer, RTM_NEWLINK, ifindex);
	struct ifinfomsg *link = mnl_nlmsg_get_payload(request);

	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return ask(request);
}

int link_delete(int ifindex)
{
	char buffer[REQUEST_SIZE];

	return ask(begin_link(buffer, RTM_DELLINK, ifindex));
}

/* ---- the way out ----------------------------------------------------------- */

static void put_gateway(struct nlmsghdr *request, int family, __u16 type)
{
	__u8 bytes[16];

	(void)inet_pton(family, family == AF_INET6 ? GATEWAY_V6 : GATEWAY_V4, bytes);
	mnl_attr_put(request, type, family == AF_INET6 ? 16 : 4, bytes);
}

static int add_neighbour(int family, int ifindex, const __u8 mac[static 6])
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request = begin(buffer, RTM_NEWNEIGH, MAKE);
	struct ndmsg *neighbour = mnl_nlmsg_put_extra_header(request, sizeof(*neighbour));

	neighbour->ndm_family = (__u8)family;
	neighbour->ndm_ifindex = ifindex;
	neighbour->ndm_state = NUD_PERMANENT;
	put_gateway(request, family, NDA_DST);
	mnl_attr_put(request, NDA_LLADDR, 6, mac);
	return ask(request);
}

static struct nlmsghdr *begin_route(char buffer[static REQUEST_SIZE], int family, __u8 table,
				    __u8 type)
{
	struct nlmsghdr *request = begin(buffer, RTM_NEWROUTE, MAKE);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));

	route->rtm_family = (__u8)family;
	route->rtm_table = table;
	route->rtm_type = type;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	return request;
}

int link_add_way_out(int family, int ifindex, const __u8 mac[static 6])
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request = begin_route(buffer, family, RT_TABLE_MAIN, RTN_UNICAST);
	struct rtmsg *route = mnl_nlmsg_get_payload(request);
	struct nlattr *metrics;
	int error = add_neighbour(family, ifindex, mac);

	route->rtm_flags = RTNH_F_ONLINK;
	mnl_attr_put_u32(request, RTA_OIF, (__u32)ifindex);
	put_gateway(request, family, RTA_GATEWAY);
	metrics = mnl_attr_nest_start(request, RTA_METRICS);
	mnl_attr_put_u32(request, RTAX_MTU, PATH_MTU);
	mnl_attr_nest_end(request, metrics);
	return error ?: ask(request);
}

/* ---- the way in ------------------------------------------------------------ */

static struct nlmsghdr *begin_rule(char buffer[static REQUEST_SIZE], __u16 type, int family,
				   __u32 priority)
{
	struct nlmsghdr *request = begin(buffer, type, type == RTM_NEWRULE ? MAKE : 0);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));

	rule->family = (__u8)family;
	rule->table = RT_TABLE_LOCAL;
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(request, FRA_PRIORITY, priority);
	return request;
}

int link_own_everything(int family, const char *name)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request = begin_route(buffer, family, RT_TABLE_LOCAL, RTN_LOCAL);
	int error;

	mnl_attr_put_u32(request, RTA_OIF, LOOPBACK);
	error = ask(request);
	if (error)
		return error;
	request = begin_rule(buffer, RTM_NEWRULE, family, 1);
	mnl_attr_put_strz(request, FRA_IIFNAME, name);
	error = ask(request);
	/* The kernel's own, which sends everybody to the local table. */
	return error ?: ask(begin_rule(buffer, RTM_DELRULE, family, 0));
}
