/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The MAC addresses of the neighbours that somebody here uses, as the kernel
 * knows them. Makes the kernel resolve those that are missing and look after the
 * others, so that a dead neighbour or a changed MAC is noticed without traffic.
 *
 * Entries of others stay as they are: what is permanent, without ARP, or
 * learned by a control plane is read only.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_NEIGHBOURS_H
#define SLUICE_DAEMON_NEXTHOP_NEIGHBOURS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/base/addr.h"
#include "lib/base/hashtable.h"

struct links;
struct netlink;
struct neighbour;
struct nlmsghdr;

struct neighbour_user;

/* Says that neighbour_mac() has changed, from neighbours_take(), _load() or
 * _tend(). Must not call this module.
 */
typedef void neighbour_changed_fn(struct neighbour_user *user);

/* What uses a neighbour; embedded in the user's struct. With a function and an owner, and the
 * rest zeroed: uses none.
 */
struct neighbour_user {
	neighbour_changed_fn *changed;
	void *owner; /* the user's own, and not touched here */
	struct neighbour *neighbour;
	LIST_ENTRY(neighbour_user) link;
};

struct neighbours {
	struct netlink *netlink;
	struct hashtable by_key;
	TAILQ_HEAD(neighbour_list, neighbour) all; /* the one asked for longest ago comes first */
	uint64_t rest_end_ms;                      /* tend_at_ms is not before it */
	uint64_t tend_at_ms; /* when neighbours_tend() is due; UINT64_MAX: never */
	unsigned round;      /* of neighbours_load() */
	bool refused;        /* the kernel's refusal has been logged */
};

void neighbours_init(struct neighbours *neighbours, struct netlink *netlink);

/* Every user must be gone. */
void neighbours_done(struct neighbours *neighbours);

/* Makes user use the neighbour at ip on a device, and no other; the kernel says
 * at once what it knows. now_ms: uv_now(), here and below. 0 or -errno (then it
 * uses what it did).
 */
int neighbour_use(struct neighbours *neighbours, int ifindex, const struct ip *ip, uint64_t now_ms,
		  struct neighbour_user *user);

/* Accepts a user that uses none. */
void neighbour_unuse(struct neighbours *neighbours, struct neighbour_user *user);

/* 6 bytes, or NULL: not resolved. */
const __u8 *neighbour_mac(const struct neighbour *neighbour);

/* Reads all of them again. 0 or -errno. */
int neighbours_load(struct neighbours *neighbours, uint64_t now_ms);

/* Has the kernel probe a MAC address that packets have gone to, if it has not lately: one that
 * has changed is known in some seconds, also where no packet of the kernel's asks for it.
 */
void neighbour_doubt(struct neighbours *neighbours, struct neighbour *neighbour, uint64_t now_ms);

/* Takes in RTM_NEWNEIGH and RTM_DELNEIGH. False: the kernel sends by the neighbour as before. */
bool neighbours_take(struct neighbours *neighbours, const struct nlmsghdr *message,
		     uint64_t now_ms);

/* Asks the kernel for what is due, on links that are up, and gives up neighbours
 * that were gone for too long. Sets tend_at_ms anew.
 */
void neighbours_tend(struct neighbours *neighbours, const struct links *links, uint64_t now_ms);

#endif
