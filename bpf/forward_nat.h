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
#include "sluice/csum.h"
#include "sluice/verdict.h"

/* Which end of the packet is given another address and port. */
enum rewrite_end { REWRITE_SOURCE, REWRITE_DESTINATION };

/* Writes the new address; the IPv4 header's checksum follows. */
static __always_inline bool rewrite_address(struct xdp_md *xdp, const struct sl_packet *packet,
					    enum rewrite_end end, const struct sl_addr *addr)
{
	struct ipv6hdr *ip6;
	struct iphdr *ip;
	__be32 *field;

	if (packet_is_ipv6(packet)) {
		ip6 = packet_ipv6(xdp, packet);
		if (!ip6)
			return false;
		__builtin_memcpy(end == REWRITE_SOURCE ? &ip6->saddr : &ip6->daddr, addr,
				 sizeof(*addr));
		return true;
	}
	ip = packet_ipv4(xdp, packet);
	if (!ip)
		return false;
	field = end == REWRITE_SOURCE ? &ip->saddr : &ip->daddr;
	ip->check = sl_csum_apply(ip->check, sl_csum_delta32(*field, addr->words[3]));
	*field = addr->words[3];
	return true;
}

/* Writes the new port, and brings the transport checksum up to date for it and
 * for the change of address that delta stands for (pseudo header).
 */
static __always_inline bool rewrite_port(struct xdp_md *xdp, const struct sl_packet *packet,
					 enum rewrite_end end, __be16 port, __u64 delta)
{
	struct tcphdr *tcp;
	struct udphdr *udp;
	__be16 *field;

	if (packet_is_tcp(packet)) {
		tcp = packet_tcp(xdp, packet);
		if (!tcp)
			return false;
		field = end == REWRITE_SOURCE ? &tcp->source : &tcp->dest;
		tcp->check = sl_csum_apply(tcp->check, delta + sl_csum_delta16(*field, port));
		*field = port;
		return true;
	}
	udp = packet_udp(xdp, packet);
	if (!udp)
		return false;
	field = end == REWRITE_SOURCE ? &udp->source : &udp->dest;
	/* Zero is "no checksum", and is never the result of one (RFC 768). */
	if (udp->check) {
		udp->check = sl_csum_apply(udp->check, delta + sl_csum_delta16(*field, port));
		if (!udp->check)
			udp->check = 0xffff;
	}
	*field = port;
	return true;
}

/* Gives one end of the packet another address and port. */
static __always_inline enum sl_verdict rewrite_end(struct xdp_md *xdp,
						   const struct sl_packet *packet,
						   enum rewrite_end end, const struct sl_addr *addr,
						   __be16 port)
{
	const struct sl_addr *old =
		end == REWRITE_SOURCE ? &packet->source : &packet->destination.addr;
	__u64 delta = packet_is_ipv6(packet) ? sl_csum_delta_addr(old, addr)
					     : sl_csum_delta32(old->words[3], addr->words[3]);

	if (!rewrite_address(xdp, packet, end, addr) ||
	    !rewrite_port(xdp, packet, end, port, delta))
		return SL_DROP_INTERNAL;
	return SL_NEXT;
}

#endif
