/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program's word to the daemon about packets that it cannot send by itself, and about the
 * next hops that it sends replies to.
 */
#ifndef SLUICE_SHARED_ABI_UNSENT_H
#define SLUICE_SHARED_ABI_UNSENT_H

#include <linux/types.h>

#include "sluice/abi/address.h"
#include "sluice/abi/backend.h"

enum sl_unsent_kind {
	SL_UNSENT_NOTHING,    /* no packet: replies are being sent to this next hop */
	SL_UNSENT_UNRESOLVED, /* the MAC address of the next hop is unknown */
	SL_UNSENT_DEVICE,     /* the next hop's device takes no frames from XDP */
	SL_UNSENT_LONG,       /* the packet is longer than the MTU, and may be sent in fragments */
};

/* The longest packet that is given to the daemon. */
#define SL_UNSENT_BYTES 9000

/* The head of an entry of the ring sl_unsent. */
struct sl_unsent {
	__u64 at_ns;         /* CLOCK_MONOTONIC */
	struct sl_addr next; /* the next hop's address; not of SL_UNSENT_LONG */
	__u8 next_family;    /* SL_FAMILY_*: an IPv4 packet may have a next hop of IPv6 */
	__u8 kind;           /* enum sl_unsent_kind */
	__u16 length;        /* of the packet */
	__u32 ingress;       /* the device that the packet arrived on */
	/* SL_UNSENT_LONG: all of it. The other kinds: ifindex, the device that the route names,
	 * or 0, if the route leads into a tunnel; and mtu, or 0: the device's.
	 */
	struct sl_hop hop;
	__u32 pad;
};
_Static_assert(sizeof(struct sl_unsent) == 56, "sl_unsent has no holes");

/* An entry with its packet, from the IP header on, as it is to be sent. */
struct sl_unsent_packet {
	struct sl_unsent head;
	__u8 bytes[SL_UNSENT_BYTES];
};

/* The interval in which each next hop in use is named once; ticks of the gate's clock: 2^40 are
 * 4.3 s.
 */
#define SL_HOP_USED_SHIFT 40

/* Replies from a service's address that arrive on one device and leave by another; in
 * sl_handovers when the kernel would forward them.
 */
struct sl_handover {
	struct sl_addr service;
	__u32 ingress;
	__u32 egress; /* as sl_unsent.hop.ifindex */
	__u32 family;
	__u32 pad;
};
_Static_assert(sizeof(struct sl_handover) == 32, "sl_handover has no holes");

/* A MAC address behind a bridge; in sl_ports with the bridge's port that leads there. */
struct sl_port {
	__u32 bridge; /* ifindex */
	__u8 mac[6];
	__u16 pad;
};
_Static_assert(sizeof(struct sl_port) == 12, "sl_port has no holes");

#endif
