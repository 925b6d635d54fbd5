/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The record of one packet on its way: the results of parsing, and the choices of the stages.
 * It holds offsets and values, never pointers into the frame: those do not outlive the
 * function that checked them.
 */
#ifndef SLUICE_BPF_PACKET_H
#define SLUICE_BPF_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>

#include "sluice/abi.h"
#include "sluice/ours.h"
#include "sluice/verdict.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* sl_packet.vlan of a frame in a VLAN inside another: no hop has this id. */
#define PACKET_STACKED 0xffff

struct vlan_tag {
	__be16 tci;   /* id: the low 12 bits */
	__be16 proto; /* of what follows */
};

/* The verifier remembers the value of a member that begins at a multiple of eight bytes, and
 * follows a packet once more for each value that differs from those before. Of a member that lies
 * behind another one in eight bytes, it remembers at most that it is zero. The offsets, and the
 * members that hold one of a few constants, lie so.
 */
#define PACKET_FORGOTTEN(member)                                    \
	_Static_assert(offsetof(struct sl_packet, member) % 8 == 4, \
		       "the verifier does not remember " #member)

struct sl_packet {
	/* parse */
	struct sl_key destination; /* also protocol and family of both ends; family 0: no IP */
	struct sl_addr source;
	__u64 station; /* the frame's destination as a word (sluice/ours.h) */
	__u32 length;  /* of the frame */
	__u32 l3;      /* offset of the IP header */
	__u32 hash;    /* select: of the flow, as the service's scheduler wants it */
	__u32 l4;      /* offset of the TCP or UDP header */
	__u32 ingress; /* return: the device in whose name the route to the client is asked for */
	__u32 end;     /* offset behind the IP datagram; the frame may be padded */
	__be16 source_port;
	__be16 vlan;            /* id of the tag; PACKET_STACKED: of two */
	enum sl_verdict broken; /* why the packet is not forwarded, should it be a service's */
	bool syn;               /* TCP SYN without ACK: opens a connection */
	bool opened;            /* select: a new connection, as far as can be told */
	__u8 closing;           /* TCP FIN or RST; else 0 */

	/* service, select or return */
	const struct sl_service *service;
	struct sl_return *reply;
	struct sl_backend *backend; /* before select: the responder, or NULL */
	__u64 slot; /* of the service's table, that the flow hashes to (sluice/slot.h) */
	__u32 backend_index;

	/* forward */
	int action; /* XDP_TX or XDP_REDIRECT */
};
PACKET_FORGOTTEN(l3);
PACKET_FORGOTTEN(l4);
PACKET_FORGOTTEN(end);
PACKET_FORGOTTEN(broken);
PACKET_FORGOTTEN(action);

/* Clears the members that no stage sets for every packet. Each other member that is cleared as
 * well costs every packet an instruction.
 */
static __always_inline void packet_begin(struct sl_packet *packet)
{
	packet->vlan = 0;
	packet->destination.family = 0;
	packet->service = NULL;
	packet->reply = NULL;
	packet->backend = NULL;
}

/* More than all headers that parsing walks can take. The verifier follows an
 * offset into the packet only while it has a bound below 64 KiB.
 */
#define PACKET_OFFSET_MAX 0x3fff

/* Loads ctx->data or ctx->data_end as a pointer. In C it is a __u32, and clang may cut it to
 * 32 bits once more, which the verifier refuses to do to a pointer ("invalid access to
 * packet").
 */
static __always_inline void *packet_pointer(const struct xdp_md *xdp, const __u32 offset)
{
	void *pointer;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(pointer) : "r"(xdp), "i"(offset));
	return pointer;
}

static __always_inline void *packet_start(const struct xdp_md *xdp)
{
	return packet_pointer(xdp, offsetof(struct xdp_md, data));
}

static __always_inline void *packet_end(const struct xdp_md *xdp)
{
	return packet_pointer(xdp, offsetof(struct xdp_md, data_end));
}

/* Bytes of the frame at an offset, or NULL where it ends before. */
static __always_inline void *packet_bytes(const struct xdp_md *xdp, __u32 offset, __u32 size)
{
	void *start = packet_start(xdp);

	if (offset > PACKET_OFFSET_MAX)
		return NULL;
	start += offset;
	if (start + size > packet_end(xdp))
		return NULL;
	/* Without this, clang 14 checks the result once more where the caller does. */
	__builtin_assume(start != NULL);
	return start;
}

/* ---- headers: each is NULL where the frame ends before -------------------------- */

static __always_inline struct ethhdr *packet_ethernet(const struct xdp_md *xdp)
{
	return packet_bytes(xdp, 0, sizeof(struct ethhdr));
}

static __always_inline struct iphdr *packet_ipv4(const struct xdp_md *xdp,
						 const struct sl_packet *packet)
{
	return packet_bytes(xdp, packet->l3, sizeof(struct iphdr));
}

static __always_inline struct ipv6hdr *packet_ipv6(const struct xdp_md *xdp,
						   const struct sl_packet *packet)
{
	return packet_bytes(xdp, packet->l3, sizeof(struct ipv6hdr));
}

static __always_inline struct tcphdr *packet_tcp(const struct xdp_md *xdp,
						 const struct sl_packet *packet)
{
	return packet_bytes(xdp, packet->l4, sizeof(struct tcphdr));
}

static __always_inline struct udphdr *packet_udp(const struct xdp_md *xdp,
						 const struct sl_packet *packet)
{
	return packet_bytes(xdp, packet->l4, sizeof(struct udphdr));
}

/* How many VLAN tags the frame has, 0 to 2. */
static __always_inline __u32 packet_tags(const struct sl_packet *packet)
{
	return (packet->l3 - sizeof(struct ethhdr)) / sizeof(struct vlan_tag);
}

static __always_inline bool packet_is_tagged(const struct sl_packet *packet)
{
	return packet->l3 != sizeof(struct ethhdr);
}

static __always_inline bool packet_is_ipv6(const struct sl_packet *packet)
{
	return packet->destination.family == SL_FAMILY_IPV6;
}

static __always_inline bool packet_is_tcp(const struct sl_packet *packet)
{
	return packet->destination.proto == IPPROTO_TCP;
}

#endif
