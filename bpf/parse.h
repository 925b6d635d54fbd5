/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage parse: reads the headers of a frame into struct sl_packet. It must not drop: the
 * packet is not known to be a service's yet.
 */
#ifndef SLUICE_BPF_PARSE_H
#define SLUICE_BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/packet.h"
#include "sluice/verdict.h"

#define PARSE_VLAN_TAGS       2
#define PARSE_IPV6_EXTENSIONS 4      /* headers walked before giving up */
#define PARSE_IPV4_OFFSET     0x1fff /* of a fragment */
#define PARSE_IPV4_MORE       0x2000

/* The TCP header's byte of flags (RFC 9293 section 3.1). */
#define TCP_FLAGS_AT 13
#define TCP_FIN      0x01
#define TCP_SYN      0x02
#define TCP_RST      0x04
#define TCP_ACK      0x10

struct vlan_tag {
	__be16 tci;   /* id: the low 12 bits */
	__be16 proto; /* of what follows */
};

struct ipv6_extension {
	__u8 next;
	__u8 units; /* beyond the first 8 bytes, of 8 */
	__u8 routing_type;
	__u8 segments_left;
};

struct ipv6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* the high 13 bits; the lowest: more follow */
	__be32 id;
};

/* Parses Ethernet and up to two VLAN tags. Returns the ethertype, 0 where cut short. */
static __always_inline __be16 parse_ethernet(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct ethhdr *ethernet = packet_ethernet(xdp);
	struct vlan_tag *tag;
	__be16 proto;

	if (!ethernet)
		return 0;
	/* As a word: struct ethhdr is packed, and its member would be loaded by bytes. */
	proto = *(__be16 *)((void *)ethernet + offsetof(struct ethhdr, h_proto));
	packet->l3 = sizeof(*ethernet);
#pragma unroll
	for (int i = 0; i < PARSE_VLAN_TAGS; i++) {
		if (likely(proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD)))
			break;
		/* A constant: the verifier loses the bound of an offset that clang reloads. */
		tag = packet_bytes(xdp, sizeof(*ethernet) + i * sizeof(*tag), sizeof(*tag));
		if (!tag)
			return 0;
		if (!i)
			packet->vlan = tag->tci & bpf_htons(0x0fff);
		proto = tag->proto;
		packet->l3 += sizeof(*tag);
		packet->tags++;
	}
	return proto;
}

static __always_inline struct sl_addr mapped(__be32 addr)
{
	return (struct sl_addr){ .words = { 0, 0, bpf_htonl(0xffff), addr } };
}

/* Parses IPv4 up to the end of its options. */
static __always_inline enum sl_verdict parse_ipv4(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct iphdr *ip = packet_ipv4(xdp, packet);
	__u32 header, total;
	__be16 fragment;

	if (!ip || ip->version != 4)
		return SL_PASS_MALFORMED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (header < sizeof(*ip) || total < header || packet->l3 + total > packet->length)
		return SL_PASS_MALFORMED;
	fragment = ip->frag_off;
	if (fragment & bpf_htons(PARSE_IPV4_OFFSET))
		return SL_PASS_FRAGMENT;

	packet->fragment = fragment & bpf_htons(PARSE_IPV4_MORE);
	packet->l4 = packet->l3 + header;
	packet->destination.proto = ip->protocol;
	packet->destination.family = SL_FAMILY_IPV4;
	packet->destination.addr = mapped(ip->daddr);
	packet->source = mapped(ip->saddr);
	packet->end = packet->l3 + total;
	return SL_NEXT;
}

/* Steps over the extension headers of RFC 8200 section 4, a bounded number, to the transport
 * header. A packet with more of them is left to the kernel, as is one whose routing header has
 * segments left: its destination is not the final one.
 */
static __always_inline enum sl_verdict parse_ipv6_extensions(struct xdp_md *xdp,
							     struct sl_packet *packet, __u8 next)
{
	struct ipv6_extension *extension;
	struct ipv6_fragment *fragment;
	__u32 offset = packet->l4;

	for (int i = 0; i <= PARSE_IPV6_EXTENSIONS; i++) {
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			extension = packet_bytes(xdp, offset, sizeof(*extension));
			if (!extension)
				return SL_PASS_MALFORMED;
			if (next == IPPROTO_ROUTING && extension->segments_left)
				return SL_PASS_PROTOCOL;
			next = extension->next;
			offset += (extension->units + 1) * 8;
			break;
		case IPPROTO_FRAGMENT:
			fragment = packet_bytes(xdp, offset, sizeof(*fragment));
			if (!fragment)
				return SL_PASS_MALFORMED;
			if (fragment->offset & bpf_htons(0xfff8))
				return SL_PASS_FRAGMENT;
			packet->fragment |= fragment->offset & bpf_htons(1);
			next = fragment->next;
			offset += sizeof(*fragment);
			break;
		default:
			packet->l4 = offset;
			packet->destination.proto = next;
			return SL_NEXT;
		}
	}
	return SL_PASS_PROTOCOL;
}

static __always_inline enum sl_verdict parse_ipv6(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct ipv6hdr *ip = packet_ipv6(xdp, packet);

	if (!ip || ip->version != 6)
		return SL_PASS_MALFORMED;
	packet->end = packet->l3 + sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (packet->end > packet->length)
		return SL_PASS_MALFORMED;

	packet->fragment = false;
	packet->l4 = packet->l3 + sizeof(*ip);
	packet->destination.family = SL_FAMILY_IPV6;
	packet->destination.addr = *(struct sl_addr *)&ip->daddr;
	packet->source = *(struct sl_addr *)&ip->saddr;
	if (likely(ip->nexthdr == IPPROTO_TCP || ip->nexthdr == IPPROTO_UDP)) {
		packet->destination.proto = ip->nexthdr;
		return SL_NEXT;
	}
	return parse_ipv6_extensions(xdp, packet, ip->nexthdr);
}

/* Parses the TCP flags. Returns whether the header is whole. */
static __always_inline bool parse_tcp(struct xdp_md *xdp, struct sl_packet *packet, __u32 rest)
{
	struct tcphdr *tcp = packet_tcp(xdp, packet);
	__u32 header, flags;

	if (!tcp)
		return false;
	/* By arithmetic, because the verifier would follow both sides of each branch. */
	flags = *((__u8 *)tcp + TCP_FLAGS_AT);
	packet->syn = flags / TCP_SYN & ~(flags / TCP_ACK) & 1;
	packet->closing = (flags / TCP_FIN | flags / TCP_RST) & 1;
	header = tcp->doff * 4;
	return header >= sizeof(*tcp) && header <= rest;
}

static __always_inline bool parse_udp(struct xdp_md *xdp, struct sl_packet *packet, __u32 rest)
{
	struct udphdr *udp = packet_udp(xdp, packet);
	__u32 length;

	if (!udp)
		return false;
	length = bpf_ntohs(udp->len);
	return length >= sizeof(*udp) && rest >= sizeof(*udp) &&
	       (length <= rest || packet->fragment);
}

/* Parses the ports, and notes whether the whole header is there. The ports alone decide
 * whether the packet is a service's; only if it is may it be dropped for the rest.
 */
static __always_inline enum sl_verdict parse_transport(struct xdp_md *xdp, struct sl_packet *packet)
{
	__u32 rest = packet->end - packet->l4;
	struct udphdr *udp;
	bool whole;

	if (packet->l4 > packet->end || rest < 4)
		return SL_PASS_MALFORMED;

	/* TCP and UDP begin alike: source port, destination port. */
	udp = packet_bytes(xdp, packet->l4, 4);
	if (!udp)
		return SL_PASS_MALFORMED;
	packet->source_port = udp->source;
	packet->destination.port = udp->dest;

	packet->syn = false;
	packet->closing = false;
	whole = packet_is_tcp(packet) ? parse_tcp(xdp, packet, rest) : parse_udp(xdp, packet, rest);
	packet->broken = whole ? SL_NEXT : SL_DROP_MALFORMED;
	if (packet->fragment)
		packet->broken = SL_DROP_FRAGMENT;
	return SL_NEXT;
}

static __always_inline enum sl_verdict parse_packet(struct xdp_md *xdp, struct sl_packet *packet)
{
	enum sl_verdict verdict;

	packet->length = packet_end(xdp) - packet_start(xdp);
	switch (parse_ethernet(xdp, packet)) {
	case bpf_htons(ETH_P_IP):
		verdict = parse_ipv4(xdp, packet);
		break;
	case bpf_htons(ETH_P_IPV6):
		verdict = parse_ipv6(xdp, packet);
		break;
	default:
		return SL_PASS_NOT_IP;
	}
	if (verdict)
		return verdict;
	if (packet->destination.proto != IPPROTO_TCP && packet->destination.proto != IPPROTO_UDP)
		return SL_PASS_PROTOCOL;
	return parse_transport(xdp, packet);
}

#endif
