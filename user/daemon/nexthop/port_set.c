// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/port_set.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/links.h"

struct port {
	struct hash_node node;
	struct sl_port port;
	struct sl_device device;
	bool doubted;
};

static bool port_equal(const struct hash_node *node, const void *port)
{
	return !memcmp(&HASH_ENTRY(node, struct port, node)->port, port, sizeof(struct sl_port));
}

static uint64_t port_hash(const struct sl_port *port)
{
	return hash_bytes(port, sizeof(*port), 0);
}

static struct port *find(const struct port_set *set, const struct sl_port *port)
{
	struct hash_node *node = hashtable_find(&set->by_port, port_hash(port), port, port_equal);

	return node ? HASH_ENTRY(node, struct port, node) : NULL;
}

static void on_entry(const struct nlmsghdr *message, void *arg)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(*header))
		*(int *)arg = header->ndm_ifindex;
}

/* Asks the bridge. A bridge that tells its VLANs apart names none for a frame without one. */
static bool ask(const struct port_set *set, const struct sl_port *port,
		struct sl_device *ret_device)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETNEIGH, 0);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	const struct link *link, *carrier;
	int ifindex = 0;

	header->ndm_family = AF_BRIDGE;
	mnl_attr_put_u32(request, NDA_MASTER, port->bridge);
	mnl_attr_put(request, NDA_LLADDR, sizeof(port->mac), port->mac);
	if (netlink_ask(set->netlink, request, on_entry, &ifindex))
		return false;
	link = links_find(set->links, ifindex);
	carrier = link && link->up ? links_carrier(set->links, link) : NULL;
	if (!carrier || !links_redirects(set->links, carrier))
		return false;
	*ret_device = (struct sl_device){
		.ifindex = (__u32)carrier->ifindex,
		.vlan = carrier == link ? 0 : htons(link->vlan),
	};
	return true;
}

static void tell(const struct port_set *set, const struct sl_port *port,
		 const struct sl_device *device)
{
	if (set->changed)
		set->changed(set->arg, port, device);
}

static void drop(struct port_set *set, struct port *port)
{
	tell(set, &port->port, NULL);
	hashtable_remove(&set->by_port, &port->node);
	free(port);
}

static void review(struct port_set *set, struct port *port)
{
	struct sl_device device;

	port->doubted = false;
	if (!ask(set, &port->port, &device)) {
		drop(set, port);
		return;
	}
	if (!memcmp(&device, &port->device, sizeof(device)))
		return;
	port->device = device;
	tell(set, &port->port, &device);
}

bool port_set_find(struct port_set *set, const struct sl_port *wanted)
{
	const struct link *bridge = links_find(set->links, (int)wanted->bridge);
	struct sl_device device;
	struct port *port;

	if (find(set, wanted))
		return true;
	if (!bridge || bridge->role != LINK_ROLE_BRIDGE || set->by_port.count == SL_DEFAULT_PORTS ||
	    !ask(set, wanted, &device))
		return false;
	port = calloc(1, sizeof(*port));
	if (!port)
		return false;
	port->port = *wanted;
	port->device = device;
	if (hashtable_insert(&set->by_port, &port->node, port_hash(wanted))) {
		free(port);
		return false;
	}
	tell(set, wanted, &device);
	return true;
}

void port_set_take(struct port_set *set, const struct nlmsghdr *message)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[NDA_MAX + 1];
	struct sl_port about = {};
	struct port *port;

	if (!netlink_attrs(message, sizeof(*header), NDA_MAX, attrs) ||
	    header->ndm_family != AF_BRIDGE || !netlink_get_u32(attrs[NDA_MASTER], &about.bridge) ||
	    !netlink_get_mac(attrs[NDA_LLADDR], about.mac))
		return;
	port = find(set, &about);
	if (!port)
		return;
	port->doubted = true;
	set->doubted = true;
}

void port_set_doubt_all(struct port_set *set)
{
	struct hash_node *node = NULL;

	while ((node = hashtable_next(&set->by_port, node)))
		HASH_ENTRY(node, struct port, node)->doubted = true;
	set->doubted = true;
}

void port_set_review(struct port_set *set)
{
	struct hash_node *node, *next;

	if (!set->doubted)
		return;
	set->doubted = false;
	for (node = hashtable_next(&set->by_port, NULL); node; node = next) {
		next = hashtable_next(&set->by_port, node);
		if (HASH_ENTRY(node, struct port, node)->doubted)
			review(set, HASH_ENTRY(node, struct port, node));
	}
}

void port_set_done(struct port_set *set)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&set->by_port, NULL); node; node = next) {
		next = hashtable_next(&set->by_port, node);
		free(HASH_ENTRY(node, struct port, node));
	}
	hashtable_done(&set->by_port);
}
