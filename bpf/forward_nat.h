/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Forwarding `nat`: one end of the packet gets another address and port. On the way to
 * a backend that is the destination, on the way back to a client the source (reply.h).
 * The checksums follow incrementally, so a wrong one stays wrong.
 */
#ifndef SLUICE_BPF_FORWARD_NAT_H
#define SLUICE_BPF_FORWARD_NAT_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "bpf/packet.h"
#include "bpf/rewrite.h"
#include "sluice/csum.h"
#include "sluice/verdict.h"

/* Which end of the packet is given another address and port. */
enum rewrite_end { REWRITE_SOURCE, REWRITE_DESTINATION };

/* The new end of a packet. */
struct rewriting {
	enum rewrite_end end;
	bool hop; /* one hop is taken off the TTL or hop limit, too */
	const struct sl_addr *addr;
	__be16 port;
};

static __always_inline enum sl_verdict
rewrite_ipv6(struct xdp_md *xdp, const struct sl_packet *packet, const struct rewriting *new)
{
	struct ipv6hdr *ip = packet_ipv6(xdp, packet);

	if (!ip)
		return SL_DROP_INTERNAL;
	if (new->hop && !rewrite_take_hop(&ip->hop_limit))
		return SL_DROP_TTL;
	__builtin_memcpy(new->end == REWRITE_SOURCE ? &ip->saddr : &ip->daddr, new->addr,
			 sizeof(*new->addr));
	return SL_NEXT;
}

/* delta: of the header's checksum, for the address. */
static __always_inline enum sl_verdict rewrite_ipv4(struct xdp_md *xdp,
						    const struct sl_packet *packet,
						    const struct rewriting *new, __u64 delta)
{
	struct iphdr *ip = packet_ipv4(xdp, packet);

	if (!ip)
		return SL_DROP_INTERNAL;
	if (new->hop) {
		if (!rewrite_take_hop(&ip->ttl))
			return SL_DROP_TTL;
		delta += REWRITE_HOP_DELTA;
	}
	ip->check = sl_csum_apply(ip->check, delta);
	*(new->end == REWRITE_SOURCE ? &ip->saddr : &ip->daddr) = new->addr->words[3];
	return SL_NEXT;
}

/* Writes the new port, and brings the transport checksum up to date for it and
 * for the change of address that delta stands for (pseudo header).
 */
static __always_inline enum sl_verdict rewrite_port(struct xdp_md *xdp,
						    const struct sl_packet *packet,
						    const struct rewriting *new, __u64 delta)
{
	struct tcphdr *tcp;
	struct udphdr *udp;
	__be16 *field;

	if (packet_is_tcp(packet)) {
		tcp = packet_tcp(xdp, packet);
		if (!tcp)
			return SL_DROP_INTERNAL;
		field = new->end == REWRITE_SOURCE ? &tcp->source : &tcp->dest;
		tcp->check = sl_csum_apply(tcp->check, delta + sl_csum_delta16(*field, new->port));
		*field = new->port;
		return SL_NEXT;
	}
	udp = packet_udp(xdp, packet);
	if (!udp)
		return SL_DROP_INTERNAL;
	field = new->end == REWRITE_SOURCE ? &udp->source : &udp->dest;
	/* Zero is "no checksum", and is never the result of one (RFC 768). */
	if (udp->check) {
		udp->check = sl_csum_apply(udp->check, delta + sl_csum_delta16(*field, new->port));
		if (!udp->check)
			udp->check = 0xffff;
	}
	*field = new->port;
	return SL_NEXT;
}

/* Gives one end of the packet another address and port. Where no hop is left to be taken off, the
 * packet is unchanged.
 */
static __always_inline enum sl_verdict
rewrite_end(struct xdp_md *xdp, const struct sl_packet *packet, const struct rewriting *new)
{
	const struct sl_addr *old =
		new->end == REWRITE_SOURCE ? &packet->source : &packet->destination.addr;
	enum sl_verdict verdict;
	__u64 delta;

	if (packet_is_ipv6(packet)) {
		delta = sl_csum_delta_addr(old, new->addr);
		verdict = rewrite_ipv6(xdp, packet, new);
	} else {
		delta = sl_csum_delta32(old->words[3], new->addr->words[3]);
		verdict = rewrite_ipv4(xdp, packet, new, delta);
	}
	return verdict ?: rewrite_port(xdp, packet, new, delta);
}

#endif
