// SPDX-License-Identifier: BSD-2-Clause
/* IP addresses by device, address and length of the prefix, which is how the kernel tells them
 * apart. Invariant: an address that is here was whole in some message of the kernel's.
 */
#include "daemon/nexthop/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/netlink.h"

#define BROADCAST_BITS_MAX 30 /* a longer IPv4 prefix has no broadcast address (RFC 3021) */

static uint64_t hash_of(const struct address *address)
{
	return hash_bytes(address->ip.addr.bytes, sizeof(address->ip.addr.bytes),
			  (uint64_t)address->ifindex << 8 | address->bits);
}

static bool equal(const struct hash_node *node, const void *key)
{
	const struct address *a = HASH_ENTRY(node, const struct address, node), *b = key;

	return a->ifindex == b->ifindex && a->bits == b->bits && ip_equal(&a->ip, &b->ip);
}

static struct address *find(const struct addresses *addresses, const struct address *key)
{
	struct hash_node *node = hashtable_find(&addresses->by_key, hash_of(key), key, equal);

	return node ? HASH_ENTRY(node, struct address, node) : NULL;
}

const struct address *addresses_next(const struct addresses *addresses,
				     const struct address *address)
{
	const struct hash_node *node =
		hashtable_next(&addresses->by_key, address ? &address->node : NULL);

	return node ? HASH_ENTRY(node, const struct address, node) : NULL;
}

/* An interface identifier made of a MAC address has ff:fe in its middle (RFC 4291 appendix A);
 * of the others that the kernel makes, it says so.
 */
static bool is_automatic(const struct ip *ip, __u32 flags)
{
	const __u8 *bytes = ip->addr.bytes;

	return ip->family == SL_FAMILY_IPV6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80 &&
	       ((bytes[11] == 0xff && bytes[12] == 0xfe) || flags & IFA_F_STABLE_PRIVACY);
}

/* False: not an address's own message, or not whole. */
static bool parse(const struct nlmsghdr *message, struct address *ret_address)
{
	const struct nlattr *attrs[IFA_MAX + 1];
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct address address = {};
	__u32 flags;

	if (!netlink_attrs(message, sizeof(*header), IFA_MAX, attrs))
		return false;
	/* Of a link to one peer alone, IFA_ADDRESS is the peer's. */
	if (!netlink_get_ip(attrs[IFA_LOCAL], header->ifa_family, &address.ip) &&
	    !netlink_get_ip(attrs[IFA_ADDRESS], header->ifa_family, &address.ip))
		return false;
	flags = header->ifa_flags;
	(void)netlink_get_u32(attrs[IFA_FLAGS], &flags);
	address.ifindex = (int)header->ifa_index;
	address.bits = header->ifa_prefixlen;
	address.automatic = is_automatic(&address.ip, flags);
	*ret_address = address;
	return true;
}

static bool add(struct addresses *addresses, const struct address *address)
{
	struct address *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *address;
	if (!copy || hashtable_insert(&addresses->by_key, &copy->node, hash_of(address)) < 0) {
		addresses->short_of_memory = true;
		free(copy);
		return false;
	}
	return true;
}

static void drop(struct addresses *addresses, struct address *address)
{
	hashtable_remove(&addresses->by_key, &address->node);
	free(address);
}

bool addresses_take(struct addresses *addresses, const struct nlmsghdr *message)
{
	struct address address, *known;

	if (!parse(message, &address))
		return false;
	address.round = addresses->round;
	known = find(addresses, &address);
	if (message->nlmsg_type == RTM_DELADDR) {
		if (known)
			drop(addresses, known);
		return known != NULL;
	}
	if (!known)
		return add(addresses, &address);
	known->round = addresses->round;
	return false;
}

static void on_dumped(const struct nlmsghdr *message, void *arg)
{
	if (message->nlmsg_type == RTM_NEWADDR)
		(void)addresses_take(arg, message);
}

int addresses_load(struct addresses *addresses, struct netlink *netlink)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETADDR, 0);
	struct hash_node *node, *next;
	struct address *address;
	int error;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
	addresses->round++;
	addresses->short_of_memory = false;
	error = netlink_dump(netlink, request, on_dumped, addresses);
	if (error)
		return error;
	for (node = hashtable_next(&addresses->by_key, NULL); node; node = next) {
		next = hashtable_next(&addresses->by_key, node);
		address = HASH_ENTRY(node, struct address, node);
		if (address->round != addresses->round)
			drop(addresses, address);
	}
	return addresses->short_of_memory ? -ENOMEM : 0;
}

bool addresses_given(const struct addresses *addresses, int ifindex)
{
	const struct address *address = NULL;

	while ((address = addresses_next(addresses, address)))
		if (address->ifindex == ifindex && !address->automatic)
			return true;
	return false;
}

bool address_broadcast(const struct address *address, struct ip *ret_ip)
{
	if (address->ip.family != SL_FAMILY_IPV4 || address->bits > BROADCAST_BITS_MAX)
		return false;
	*ret_ip = address->ip;
	ret_ip->addr.words[3] |= htonl(~0U >> address->bits);
	return true;
}

void addresses_done(struct addresses *addresses)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&addresses->by_key, NULL); node; node = next) {
		next = hashtable_next(&addresses->by_key, node);
		free(HASH_ENTRY(node, struct address, node));
	}
	hashtable_done(&addresses->by_key);
}
