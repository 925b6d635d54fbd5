// SPDX-License-Identifier: BSD-2-Clause
/* Network devices by their index. Invariant: a link that is here was whole in
 * some message of the kernel's; one that fails to parse changes nothing.
 */
#include "daemon/nexthop/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/netlink.h"
#include "lib/base/array.h"

#define FLAG_LOWER_UP (1 << 16) /* IFF_LOWER_UP, which only linux/if.h has */

static bool link_equal(const struct hash_node *node, const void *key)
{
	return HASH_ENTRY(node, struct link, node)->ifindex == *(const int *)key;
}

static struct link *find(const struct links *links, int ifindex)
{
	struct hash_node *node;

	node = hashtable_find(&links->by_index, hash_bytes(&ifindex, sizeof(ifindex), 0), &ifindex,
			      link_equal);
	return node ? HASH_ENTRY(node, struct link, node) : NULL;
}

const struct link *links_find(const struct links *links, int ifindex)
{
	return find(links, ifindex);
}

/* Whether frames of its own can leave by it. */
static bool carries(const struct link *link)
{
	return link->kind == LINK_PLAIN ||
	       (link->kind == LINK_SPECIAL && link->takes == LINK_TAKES_YES);
}

const struct link *links_carrier(const struct links *links, const struct link *link)
{
	const struct link *parent;

	if (link->kind == LINK_VLAN) {
		parent = find(links, link->parent);
		return parent && carries(parent) ? parent : NULL;
	}
	return carries(link) ? link : NULL;
}

bool links_redirects(const struct links *links, const struct link *carrier)
{
	return carrier->takes != LINK_TAKES_NO || !links->natives;
}

/* A driver sends back what came in by its own device, whatever it takes from others. A veth does
 * both in one way, and the kernel's word on that lags when the other end is down: where frames
 * can come in by no other device, it is not relied upon.
 */
enum link_sends links_sends(const struct links *links, const struct link *carrier)
{
	if (links_redirects(links, carrier))
		return LINK_SENDS;
	if (carrier->native && (!carrier->veth || links->natives == 1))
		return LINK_SENDS;
	return carrier->veth ? LINK_NEEDS_POLLING : LINK_NEEDS_PROGRAM;
}

bool links_set_takes(struct links *links, int ifindex, enum link_takes takes)
{
	struct link *link = find(links, ifindex);

	if (!link || link->takes == takes)
		return false;
	link->takes = takes;
	return true;
}

const struct link *links_next_unasked(struct links *links)
{
	struct hash_node *node = NULL;

	while (links->unasked && (node = hashtable_next(&links->by_index, node))) {
		struct link *link = HASH_ENTRY(node, struct link, node);

		if (link->asked)
			continue;
		link->asked = true;
		return link;
	}
	links->unasked = false;
	return NULL;
}

const struct link *links_next(const struct links *links, const struct link *link)
{
	const struct hash_node *node = hashtable_next(&links->by_index, link ? &link->node : NULL);

	return node ? HASH_ENTRY(node, const struct link, node) : NULL;
}

/* Reads the id; LINK_OTHER when it is no VLAN of ours. */
static enum link_kind parse_vlan(const struct nlattr *data, struct link *link)
{
	const struct nlattr *vlan[IFLA_VLAN_MAX + 1];
	__u16 protocol;

	netlink_nested(data, IFLA_VLAN_MAX, vlan);
	if (!netlink_get_u16(vlan[IFLA_VLAN_ID], &link->vlan) ||
	    !netlink_get_u16(vlan[IFLA_VLAN_PROTOCOL], &protocol) || ntohs(protocol) != ETH_P_8021Q)
		return LINK_OTHER;
	return link->parent ? LINK_VLAN : LINK_OTHER;
}

static enum link_role role_of(const char *kind)
{
	static const struct {
		const char *kind;
		enum link_role role;
	} roles[] = {
		{ "bridge", LINK_ROLE_BRIDGE },   { "bond", LINK_ROLE_BOND },
		{ "team", LINK_ROLE_BOND },       { "vlan", LINK_ROLE_VLAN },
		{ "macvlan", LINK_ROLE_MACVLAN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (strcmp(kind, roles[i].kind) == 0)
			return roles[i].role;
	return LINK_ROLE_NONE;
}

/* The device below and the one above. In another namespace an index means another device. */
static void parse_neighbours(const struct nlattr **attrs, struct link *link)
{
	__u32 ifindex;

	if (!attrs[IFLA_LINK_NETNSID] && netlink_get_u32(attrs[IFLA_LINK], &ifindex))
		link->parent = (int)ifindex;
	if (netlink_get_u32(attrs[IFLA_MASTER], &ifindex))
		link->master = (int)ifindex;
}

/* Software devices that can send a frame which XDP redirects to them (in the
 * kernel: ndo_xdp_xmit), for kernels that do not say so. All others lose it without a word.
 */
static const char *const xdp_kinds[] = { "veth", "bond", "tun" };

static enum link_kind parse_kind(const struct nlattr **attrs, struct link *link)
{
	const struct nlattr *info[IFLA_INFO_MAX + 1];
	const char *kind;

	netlink_nested(attrs[IFLA_LINKINFO], IFLA_INFO_MAX, info);
	if (!netlink_get_text(info[IFLA_INFO_KIND], &kind))
		return LINK_PLAIN; /* hardware */
	link->veth = strcmp(kind, "veth") == 0;
	link->role = role_of(kind);
	if (link->role == LINK_ROLE_VLAN)
		return parse_vlan(info[IFLA_INFO_DATA], link);
	for (size_t i = 0; i < ARRAY_SIZE(xdp_kinds); i++)
		if (strcmp(kind, xdp_kinds[i]) == 0)
			return LINK_PLAIN;
	return LINK_SPECIAL;
}

/* The program that the kernel runs first: one of generic mode, one in the driver, or the only
 * one. 0: none.
 */
static void parse_program(const struct nlattr *data, struct link *link)
{
	static const int types[] = { IFLA_XDP_SKB_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_PROG_ID };
	const struct nlattr *xdp[IFLA_XDP_MAX + 1];
	__u32 driver = 0;

	netlink_nested(data, IFLA_XDP_MAX, xdp);
	for (size_t i = 0; i < ARRAY_SIZE(types) && !link->program; i++)
		(void)netlink_get_u32(xdp[types[i]], &link->program);
	link->native = netlink_get_u32(xdp[IFLA_XDP_DRV_PROG_ID], &driver) && driver;
}

/* False: not a device's own message, or not whole. Bridges send messages about
 * their ports, and wireless devices about events, under the same type.
 */
static bool parse(const struct nlmsghdr *message, struct link *ret_link)
{
	const struct nlattr *attrs[IFLA_MAX + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link link = {};
	const char *name;

	if (!netlink_attrs(message, sizeof(*info), IFLA_MAX, attrs) ||
	    info->ifi_family != AF_UNSPEC || info->ifi_index <= 0)
		return false;
	if (!netlink_get_text(attrs[IFLA_IFNAME], &name) || !name[0] ||
	    strlen(name) >= sizeof(link.name))
		return false;
	strcpy(link.name, name);
	link.ifindex = info->ifi_index;
	link.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & FLAG_LOWER_UP);
	(void)netlink_get_u32(attrs[IFLA_MTU], &link.mtu);
	parse_program(attrs[IFLA_XDP], &link);
	link.enabled = info->ifi_flags & IFF_UP;
	link.ethernet =
		info->ifi_type == ARPHRD_ETHER && netlink_get_mac(attrs[IFLA_ADDRESS], link.mac);
	parse_neighbours(attrs, &link);
	link.kind = parse_kind(attrs, &link);
	if (!link.ethernet)
		link.kind = LINK_OTHER;
	*ret_link = link;
	return true;
}

static bool same(const struct link *a, const struct link *b)
{
	return a->kind == b->kind && a->role == b->role && a->up == b->up &&
	       a->enabled == b->enabled && a->ethernet == b->ethernet && a->vlan == b->vlan &&
	       a->mtu == b->mtu && a->parent == b->parent && a->master == b->master &&
	       a->program == b->program && a->native == b->native &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && strcmp(a->name, b->name) == 0;
}

static bool add(struct links *links, const struct link *link)
{
	struct link *copy = malloc(sizeof(*copy));
	const uint64_t hash = hash_bytes(&link->ifindex, sizeof(link->ifindex), 0);

	if (copy) {
		*copy = *link;
		copy->serial = ++links->serial;
		links->unasked = true;
	}
	if (!copy || hashtable_insert(&links->by_index, &copy->node, hash) < 0) {
		links->short_of_memory = true;
		free(copy);
		return false;
	}
	return true;
}

static void drop(struct links *links, struct link *link)
{
	hashtable_remove(&links->by_index, &link->node);
	free(link);
}

bool links_take(struct links *links, const struct nlmsghdr *message)
{
	struct link link, *known;
	bool changed;

	if (!parse(message, &link))
		return false;
	link.round = links->round;
	known = find(links, link.ifindex);
	if (message->nlmsg_type == RTM_DELLINK) {
		if (known)
			drop(links, known);
		return known != NULL;
	}
	if (!known)
		return add(links, &link);
	changed = !same(known, &link);
	link.node = known->node;
	link.serial = known->serial;
	/* What the other end of a veth takes depends on what this one is told to do. */
	link.asked = known->asked && !link.veth;
	links->unasked |= !link.asked;
	link.takes = known->takes;
	*known = link;
	return changed;
}

static void on_dumped(const struct nlmsghdr *message, void *arg)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		(void)links_take(arg, message);
}

int links_load(struct links *links, struct netlink *netlink)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETLINK, 0);
	struct hash_node *node, *next;
	struct link *link;
	int error;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	links->round++;
	links->short_of_memory = false;
	error = netlink_dump(netlink, request, on_dumped, links);
	if (error)
		return error;
	for (node = hashtable_next(&links->by_index, NULL); node; node = next) {
		next = hashtable_next(&links->by_index, node);
		link = HASH_ENTRY(node, struct link, node);
		if (link->round != links->round)
			drop(links, link);
	}
	return links->short_of_memory ? -ENOMEM : 0;
}

void links_done(struct links *links)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&links->by_index, NULL); node; node = next) {
		next = hashtable_next(&links->by_index, node);
		free(HASH_ENTRY(node, struct link, node));
	}
	hashtable_done(&links->by_index);
}
