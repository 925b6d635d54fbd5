/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Packets beyond the MTU of their way. The sender of one that must not be sent in fragments is
 * told; another one is given to the daemon, which sends fragments: the kernel, which could do
 * so, would take the source of a rewritten reply for a forged one.
 */
#ifndef SLUICE_BPF_OVERSIZE_H
#define SLUICE_BPF_OVERSIZE_H

#include <linux/ip.h>

#include <bpf/bpf_endian.h>

#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/reject.h"
#include "sluice/verdict.h"

#define OVERSIZE_IPV4_DF 0x4000

static __always_inline bool oversize(const struct sl_packet *packet, __u32 mtu)
{
	return packet->end - packet->l3 > mtu;
}

/* Whether the packet may be sent in fragments (RFC 791 section 3.2); one of IPv6 never. */
static __always_inline bool oversize_may_be_cut(struct xdp_md *xdp, const struct sl_packet *packet)
{
	struct iphdr *ip;

	if (packet_is_ipv6(packet))
		return false;
	ip = packet_ipv4(xdp, packet);
	return ip && !(ip->frag_off & bpf_htons(OVERSIZE_IPV4_DF));
}

/* Tells the packet's sender the MTU, if that can be done and the pace allows it. */
static __always_inline bool oversize_refuse(struct xdp_md *xdp, struct sl_packet *packet, __u32 mtu)
{
	return pace_refusals() && reject_too_big(xdp, packet, mtu);
}

#endif
