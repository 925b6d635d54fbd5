/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets that wait until the MAC address of their next hop is known: a bounded number, for a
 * few seconds. Pure bookkeeping: no clock, no socket.
 */
#ifndef SLUICE_DAEMON_UNSENT_HELD_H
#define SLUICE_DAEMON_UNSENT_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "daemon/nexthop/nexthop.h"

#define HELD_MAX         256  /* packets */
#define HELD_PER_HOP_MAX 8    /* of them for one next hop */
#define HELD_MS          3000 /* after which a packet is dropped */

struct held {
	struct neighbour_key next;
	unsigned long long until_ms;
	enum sl_unsent_kind kind;
	unsigned ingress; /* ifindex of the device that the packet arrived on */
	unsigned mtu;     /* of the route; 0: the device's */
	size_t length;
	TAILQ_ENTRY(held) link;
	unsigned char packet[];
};

struct held_queue {
	TAILQ_HEAD(held_list, held) all; /* the one that is dropped next comes first */
	unsigned n;
};

void held_init(struct held_queue *queue);
void held_done(struct held_queue *queue);

/* Copies a packet behind the others; whether there is room for it. about: without the packet
 * and the link.
 */
bool held_add(struct held_queue *queue, const struct held *about, const void *packet);

void held_drop(struct held_queue *queue, struct held *held);

/* Drops those whose time is over; returns how many. */
unsigned held_expire(struct held_queue *queue, unsigned long long now_ms);

#endif
