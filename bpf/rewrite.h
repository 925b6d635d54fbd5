/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The TTL or hop limit, which every mode of forwarding lowers by one.
 */
#ifndef SLUICE_BPF_REWRITE_H
#define SLUICE_BPF_REWRITE_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>

#include "bpf/packet.h"
#include "sluice/verdict.h"

/* A hop taken off, as a change of the IPv4 header's checksum: the TTL is the first byte of its
 * word (sluice/csum.h).
 */
#define REWRITE_HOP_DELTA ((__u16)~bpf_htons(0x0100))

/* Takes one hop off a TTL or hop limit. False: it has none left, and is unchanged. */
static __always_inline bool rewrite_take_hop(__u8 *ttl)
{
	if (*ttl <= 1)
		return false;
	--*ttl;
	return true;
}

static __always_inline enum sl_verdict rewrite_hop_limit(struct xdp_md *xdp,
							 const struct sl_packet *packet)
{
	struct ipv6hdr *ip = packet_ipv6(xdp, packet);

	if (!ip)
		return SL_DROP_INTERNAL;
	return rewrite_take_hop(&ip->hop_limit) ? SL_NEXT : SL_DROP_TTL;
}

static __always_inline enum sl_verdict rewrite_ipv4_ttl(struct xdp_md *xdp,
							const struct sl_packet *packet)
{
	struct iphdr *ip = packet_ipv4(xdp, packet);
	__u32 check;

	if (!ip)
		return SL_DROP_INTERNAL;
	if (!rewrite_take_hop(&ip->ttl))
		return SL_DROP_TTL;
	/* What sl_csum_apply() gives, -0 included: one off the word is one onto the checksum. */
	check = (__u32)ip->check + bpf_htons(0x0100);
	ip->check = (__u16)(check + (check >= 0xffff));
	return SL_NEXT;
}

/* Takes one hop off the TTL (RFC 1812 section 5.3.1) or hop limit. The packet is unchanged
 * where it has none left.
 */
static __always_inline enum sl_verdict rewrite_ttl(struct xdp_md *xdp,
						   const struct sl_packet *packet)
{
	return packet_is_ipv6(packet) ? rewrite_hop_limit(xdp, packet)
				      : rewrite_ipv4_ttl(xdp, packet);
}

#endif
