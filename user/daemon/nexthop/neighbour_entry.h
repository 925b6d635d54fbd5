/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An entry of the kernel's neighbour tables as netlink has it: read it, ask for
 * it, have it looked after. Keeps nothing.
 *
 * How an entry is kept fresh: with NTF_EXT_MANAGED (Linux 5.16) the kernel
 * probes it by itself, every few seconds once it is stale. The request carries
 * NTF_USE too, which probes once. An older kernel ignores the attribute; the flag
 * then never shows up in the entry, and who wants it fresh asks again.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_NEIGHBOUR_ENTRY_H
#define SLUICE_DAEMON_NEXTHOP_NEIGHBOUR_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/nexthop/nexthop.h"

struct netlink;
struct nlmsghdr;

#define NEIGHBOUR_BATCH_SIZE 8192

/* Zeroed: there is none. */
struct neighbour_entry {
	bool exists;
	bool has_mac;
	__u8 mac[6];
	__u8 flags;      /* NTF_* */
	__u16 state;     /* NUD_* */
	__u32 flags_ext; /* NTF_EXT_* */
};

/* Questions gathered into few system calls; set netlink, zero the rest. */
struct neighbour_batch {
	struct netlink *netlink;
	size_t used;
	int error; /* the last that the kernel answered */
	char buffer[NEIGHBOUR_BATCH_SIZE];
};

/* Whether packets to it have a MAC to go to. */
bool neighbour_entry_usable(const struct neighbour_entry *entry);

/* Somebody else looks after it: it is permanent, has no ARP, or was learned by
 * a control plane. Asking for it would take that away: a request with NTF_USE
 * makes a permanent entry an ordinary one, and clears flags it does not name.
 */
bool neighbour_entry_foreign(const struct neighbour_entry *entry);

bool neighbour_entry_managed(const struct neighbour_entry *entry);

/* RTM_NEWNEIGH or RTM_DELNEIGH. False: about no neighbour, or not whole. */
bool neighbour_entry_parse(const struct nlmsghdr *message, struct neighbour_key *ret_key,
			   struct neighbour_entry *ret_entry);

/* What the kernel knows now. 0, also where there is no entry, or -errno. */
int neighbour_entry_get(struct netlink *netlink, const struct neighbour_key *key,
			struct neighbour_entry *ret_entry);

/* Has the kernel resolve it (again), and manage it. Goes out when the batch is
 * full, or is sent; a batch must be.
 */
void neighbour_batch_ask(struct neighbour_batch *batch, const struct neighbour_key *key);
void neighbour_batch_send(struct neighbour_batch *batch);

/* Has the kernel probe the MAC address of a stale entry now, and not only in some seconds. The
 * entry is no longer managed: ask for it behind this.
 */
void neighbour_batch_probe(struct neighbour_batch *batch, const struct neighbour_key *key);

bool neighbour_entry_stale(const struct neighbour_entry *entry);

/* Has the kernel no longer manage an entry; it stays. */
void neighbour_entry_release(struct netlink *netlink, const struct neighbour_key *key);

#endif
