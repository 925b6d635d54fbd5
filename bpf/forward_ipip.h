/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Forwarding `ipip`: the packet goes to its backend as the payload of another one (RFC 2003,
 * RFC 2473), unchanged but for its TTL. The outer source varies by flow, so that the backend's
 * card, which looks no deeper, spreads them over its queues. Nothing is fragmented: a packet
 * that would not fit is refused, or dropped. The inner packet and the outer one are of the
 * same family: a rule of the configuration sees to it.
 */
#ifndef SLUICE_BPF_FORWARD_IPIP_H
#define SLUICE_BPF_FORWARD_IPIP_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/maps.h"
#include "bpf/oversize.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/rewrite.h"
#include "sluice/csum.h"

#define ENCAP_TTL 64

/* Words of an IPv4 header (RFC 791 section 3.1), in host order. */
#define IPV4_WORD_VERSION_TOS_LENGTH(tos, total) (0x45000000 | (__u32)(tos) << 16 | (total))
#define IPV4_WORD_DF                             0x4000 /* and no identification */
#define IPV4_WORD_TTL_PROTOCOL(ttl, protocol)    ((ttl) << 24 | (protocol) << 16)

/* Words of an IPv6 header (RFC 8200 section 3), in host order. */
#define IPV6_WORD_VERSION_CLASS                        0xfff00000
#define IPV6_WORD_FLOW_LABEL                           0x000fffff
#define IPV6_WORD_LENGTH_NEXT_HOPS(length, next, hops) ((length) << 16 | (next) << 8 | (hops))

/* Whether the packet fits the route's MTU with `outer` bytes in front of it. Ethernet padding,
 * which is not part of the packet, is cut off where it alone would not fit.
 */
static __always_inline bool encap_fits(struct xdp_md *xdp, const struct sl_packet *packet,
				       __u32 mtu, __u32 outer)
{
	if (likely(packet->length - packet->l3 + outer <= mtu))
		return true;
	return packet->end - packet->l3 + outer <= mtu &&
	       !bpf_xdp_adjust_tail(xdp, (int)packet->end - (int)packet->length);
}

/* RFC 2003 section 5.1 would have a packet that may be fragmented sent in pieces; here its
 * sender is told the MTU as all senders are, and most of them heed it.
 */
static __always_inline enum sl_verdict encap_refuse(struct xdp_md *xdp, struct sl_packet *packet,
						    __u32 room)
{
	return oversize_refuse(xdp, packet, room) ? SL_REJECTED_TOO_BIG : SL_DROP_TOO_BIG;
}

/* encap_make_room() for a frame that has VLAN tags or is to have one. */
static __always_inline __u32 encap_make_tagged_room(struct xdp_md *xdp,
						    const struct sl_packet *packet,
						    const struct sl_hop *hop, __u32 outer)
{
	/* One right tag stays as it came, with its priority. */
	bool right = packet_tags(packet) == 1 && packet->vlan == hop->vlan;
	__u32 tagged = right || hop->vlan ? sizeof(struct vlan_tag) : 0;
	__u32 l3 = sizeof(struct ethhdr) + tagged;
	__be16 *tag, *old;

	if (bpf_xdp_adjust_head(xdp, (int)packet->l3 - (int)(l3 + outer)))
		return 0;
	if (!tagged)
		return l3;
	tag = packet_bytes(xdp, 2 * ETH_ALEN, outer + sizeof(struct vlan_tag));
	if (!tag)
		return 0;
	old = tag + outer / sizeof(*tag);
	tag[0] = right ? old[0] : bpf_htons(ETH_P_8021Q);
	tag[1] = right ? old[1] : hop->vlan;
	return l3;
}

/* Makes room for `outer` bytes between the frame's header, which gets the VLAN tag
 * that the hop asks for or none, and the packet; MAC addresses and ethertype are
 * still to be written. Returns the offset of the outer header, or 0. Invalidates
 * the packet's offsets.
 */
static __always_inline __u32 encap_make_room(struct xdp_md *xdp, const struct sl_packet *packet,
					     const struct sl_hop *hop, __u32 outer)
{
	if (unlikely(packet_is_tagged(packet) || hop->vlan))
		return encap_make_tagged_room(xdp, packet, hop, outer);
	return bpf_xdp_adjust_head(xdp, -(int)outer) ? 0 : sizeof(struct ethhdr);
}

/* The bits by which a flow differs from others in its outer header. The port is mixed in once
 * more, because a scheduler that hashes the client's address alone leaves it out.
 */
static __always_inline __be32 encap_flow(const struct sl_packet *packet)
{
	return bpf_htonl(packet->hash ^ packet->source_port);
}

/* Writes the outer header and the ethertype before it. DF is set (RFC 2003 section 3.1): a
 * packet that fits here is to fit the whole route; so no identification is needed (RFC 6864
 * section 4.1). DSCP and ECN are the packet's own (RFC 2983 section 3.1, RFC 6040 section
 * 4.1).
 */
static __always_inline bool encap_ipv4(struct xdp_md *xdp, const struct sl_packet *packet, __u32 l3)
{
	__u32 total = packet->end - packet->l3 + sizeof(struct iphdr);
	__be16 *frame =
		packet_bytes(xdp, l3 - sizeof(*frame), sizeof(*frame) + 2 * sizeof(struct iphdr));
	struct iphdr *outer = (void *)(frame + 1);
	__be32 *words = (void *)outer;

	if (!frame)
		return false;
	*frame = bpf_htons(ETH_P_IP);
	words[0] = bpf_htonl(IPV4_WORD_VERSION_TOS_LENGTH(outer[1].tos, total));
	words[1] = bpf_htonl(IPV4_WORD_DF);
	words[2] = bpf_htonl(IPV4_WORD_TTL_PROTOCOL(ENCAP_TTL, IPPROTO_IPIP));
	words[3] = sl_tuning.outer_v4 | (encap_flow(packet) & sl_tuning.outer_v4_varies);
	words[4] = packet->backend->addr.words[3];
	outer->check =
		sl_csum_apply(0xffff, (__u64)words[0] + words[1] + words[2] + words[3] + words[4]);
	return true;
}

/* The same for IPv6; the flow label differs by flow too (RFC 6438 section 3). */
static __always_inline bool encap_ipv6(struct xdp_md *xdp, const struct sl_packet *packet, __u32 l3)
{
	__u32 payload = packet->end - packet->l3;
	__be16 *frame =
		packet_bytes(xdp, l3 - sizeof(*frame), sizeof(*frame) + 2 * sizeof(struct ipv6hdr));
	struct ipv6hdr *outer = (void *)(frame + 1);
	__be32 flow = encap_flow(packet), *words = (void *)outer;
	struct sl_addr *source, *destination;

	if (!frame)
		return false;
	source = (void *)&outer->saddr;
	destination = (void *)&outer->daddr;
	*frame = bpf_htons(ETH_P_IPV6);
	words[0] = (*(__be32 *)&outer[1] & bpf_htonl(IPV6_WORD_VERSION_CLASS)) |
		   (flow & bpf_htonl(IPV6_WORD_FLOW_LABEL));
	words[1] = bpf_htonl(IPV6_WORD_LENGTH_NEXT_HOPS(payload, IPPROTO_IPV6, ENCAP_TTL));
	source->halves[0] = sl_tuning.outer_v6.halves[0];
	source->words[2] = sl_tuning.outer_v6.words[2];
	source->words[3] = sl_tuning.outer_v6.words[3] | (flow & sl_tuning.outer_v6_varies);
	destination->halves[0] = packet->backend->addr.halves[0];
	destination->halves[1] = packet->backend->addr.halves[1];
	return true;
}

/* The family is a constant to the compiler, which makes two functions of this one, each
 * without a test of the family.
 */
static __always_inline enum sl_verdict encapsulate_as(struct xdp_md *xdp, struct sl_packet *packet,
						      const struct sl_hop *hop, bool ipv6)
{
	__u32 outer = ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr), l3;
	enum sl_verdict verdict;

	if (unlikely(!encap_fits(xdp, packet, hop->mtu, outer)))
		return encap_refuse(xdp, packet, hop->mtu - outer);
	verdict = rewrite_ttl(xdp, packet);
	if (verdict)
		return verdict;
	l3 = encap_make_room(xdp, packet, hop, outer);
	if (!l3 || !(ipv6 ? encap_ipv6(xdp, packet, l3) : encap_ipv4(xdp, packet, l3)))
		return SL_DROP_INTERNAL;
	return SL_NEXT;
}

/* Encapsulates the packet for its backend. The MAC addresses are still to be written. */
static __always_inline enum sl_verdict encapsulate(struct xdp_md *xdp, struct sl_packet *packet,
						   const struct sl_hop *hop)
{
	if (packet_is_ipv6(packet))
		return encapsulate_as(xdp, packet, hop, true);
	return encapsulate_as(xdp, packet, hop, false);
}

#endif
