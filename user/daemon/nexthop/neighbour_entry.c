// SPDX-License-Identifier: BSD-2-Clause
/* Neighbour messages. Invariant: no request here deletes an entry, or gives it a
 * MAC address: that is the kernel's doing alone.
 */
#include "daemon/nexthop/neighbour_entry.h"

#include <errno.h>
#include <linux/neighbour.h>

#include "daemon/netlink/netlink.h"

#define USABLE_STATES \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

bool neighbour_entry_usable(const struct neighbour_entry *entry)
{
	return entry->has_mac && entry->state & USABLE_STATES;
}

bool neighbour_entry_foreign(const struct neighbour_entry *entry)
{
	return entry->state & (NUD_PERMANENT | NUD_NOARP) || entry->flags & NTF_EXT_LEARNED ||
	       entry->flags_ext & ~NTF_EXT_MANAGED;
}

bool neighbour_entry_stale(const struct neighbour_entry *entry)
{
	return entry->state & NUD_STALE;
}

bool neighbour_entry_managed(const struct neighbour_entry *entry)
{
	return entry->flags_ext & NTF_EXT_MANAGED;
}

bool neighbour_entry_parse(const struct nlmsghdr *message, struct neighbour_key *ret_key,
			   struct neighbour_entry *ret_entry)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[NDA_MAX + 1];
	struct neighbour_entry entry = { .exists = message->nlmsg_type == RTM_NEWNEIGH };
	struct neighbour_key key = {};

	/* Other families have no address here: a bridge's forwarding table comes along. */
	if (!netlink_attrs(message, sizeof(*header), NDA_MAX, attrs) ||
	    header->ndm_flags & NTF_PROXY ||
	    !netlink_get_ip(attrs[NDA_DST], header->ndm_family, &key.ip))
		return false;
	key.ifindex = header->ndm_ifindex;
	if (entry.exists) {
		entry.state = header->ndm_state;
		entry.flags = header->ndm_flags;
		entry.has_mac = netlink_get_mac(attrs[NDA_LLADDR], entry.mac);
		(void)netlink_get_u32(attrs[NDA_FLAGS_EXT], &entry.flags_ext);
	}
	*ret_key = key;
	*ret_entry = entry;
	return true;
}

/* Begins a message about the neighbour in buffer. */
static struct nlmsghdr *begin(char *buffer, __u16 type, __u16 flags,
			      const struct neighbour_key *key)
{
	struct nlmsghdr *request = netlink_begin(buffer, type, flags);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->ndm_family = netlink_af(&key->ip);
	header->ndm_ifindex = key->ifindex;
	header->ndm_flags = type == RTM_NEWNEIGH ? NTF_USE : 0;
	netlink_put_ip(request, NDA_DST, &key->ip);
	return request;
}

static void on_entry(const struct nlmsghdr *message, void *arg)
{
	struct neighbour_key key;

	(void)neighbour_entry_parse(message, &key, arg);
}

int neighbour_entry_get(struct netlink *netlink, const struct neighbour_key *key,
			struct neighbour_entry *ret_entry)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = begin(buffer, RTM_GETNEIGH, 0, key);
	struct neighbour_entry entry = {};
	int error;

	error = netlink_ask(netlink, request, on_entry, &entry);
	if (error < 0 && error != -ENOENT)
		return error;
	*ret_entry = entry;
	return 0;
}

/* Begins a message in the batch, which is sent first if it is full. */
static struct nlmsghdr *batch_begin(struct neighbour_batch *batch, __u16 flags,
				    const struct neighbour_key *key)
{
	if (batch->used + NETLINK_REQUEST_SIZE > sizeof(batch->buffer))
		neighbour_batch_send(batch);
	return begin(batch->buffer + batch->used, RTM_NEWNEIGH, flags, key);
}

void neighbour_batch_ask(struct neighbour_batch *batch, const struct neighbour_key *key)
{
	struct nlmsghdr *request = batch_begin(batch, NLM_F_CREATE, key);

	mnl_attr_put_u32(request, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	batch->used += NLMSG_ALIGN(request->nlmsg_len);
}

/* A request sets the state if it names neither NTF_USE nor NTF_EXT_MANAGED, and without
 * NLM_F_REPLACE it leaves the mark of an IPv6 router.
 */
void neighbour_batch_probe(struct neighbour_batch *batch, const struct neighbour_key *key)
{
	struct nlmsghdr *request = batch_begin(batch, 0, key);
	struct ndmsg *header = mnl_nlmsg_get_payload(request);

	header->ndm_flags = 0;
	header->ndm_state = NUD_PROBE;
	batch->used += NLMSG_ALIGN(request->nlmsg_len);
}

void neighbour_batch_send(struct neighbour_batch *batch)
{
	int error;

	if (batch->used == 0)
		return;
	error = netlink_tell(batch->netlink, batch->buffer, batch->used);
	if (error)
		batch->error = error;
	batch->used = 0;
}

/* Without NTF_EXT_MANAGED the flag goes; without NLM_F_CREATE nothing comes. */
void neighbour_entry_release(struct netlink *netlink, const struct neighbour_key *key)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = begin(buffer, RTM_NEWNEIGH, 0, key);

	(void)netlink_tell(netlink, request, request->nlmsg_len);
}
