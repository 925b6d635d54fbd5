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
#define PARSE_VLAN_ID         0x0fff
#define PARSE_IPV6_EXTENSIONS 4               /* headers walked before giving up */
#define PARSE_IPV6_UNIT       8               /* bytes: the least of an extension header */
#define PARSE_OPAQUE          IPPROTO_ROUTING /* of IPv6: in the place of a protocol not known */
#define PARSE_PORTS           4               /* bytes: both ports */
#define PARSE_IPV4_OFFSET     0x1fff          /* of a fragment */
#define PARSE_IPV4_MORE       0x2000
#define PARSE_IPV4_WORDS      5 /* of a header without options */
#define PARSE_IPV4_PLAIN      (0x40 | PARSE_IPV4_WORDS)
#define PARSE_IPV4_OPTIONS    40 /* bytes at most */

/* The TCP header's byte of flags (RFC 9293 section 3.1). */
#define TCP_FLAGS_AT 13
#define TCP_FIN      0x01
#define TCP_SYN      0x02
#define TCP_RST      0x04
#define TCP_ACK      0x10

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

static __always_inline bool parse_is_tag(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

/* Notes the id of a tag. With the id 0, a tag has a priority and no VLAN. */
static __always_inline void parse_vlan(struct sl_packet *packet, __be16 id)
{
	if (packet->vlan && id) {
		packet->vlan = PACKET_STACKED;
		packet->station |= SL_STATION_STACKED;
	} else {
		packet->vlan |= id;
		packet->station |= bpf_ntohs(id);
	}
}

/* Parses Ethernet and up to two VLAN tags. Returns the ethertype, 0 where cut short. */
static __always_inline __be16 parse_ethernet(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct ethhdr *ethernet = packet_start(xdp);
	void *end = packet_end(xdp);
	struct vlan_tag *tag;
	__be16 proto;

	packet->length = end - (void *)ethernet;
	if ((void *)(ethernet + 1) > end)
		return 0;
	/* As words: struct ethhdr is packed, and its members would be loaded by bytes. */
	proto = *(__be16 *)((void *)ethernet + offsetof(struct ethhdr, h_proto));
	packet->station = sl_station_word(*(__u64 *)ethernet);
	packet->l3 = sizeof(*ethernet);
#pragma unroll
	for (int i = 0; i < PARSE_VLAN_TAGS; i++) {
		/* IPv4 at once, because most packets are of it. */
		if (likely(proto == bpf_htons(ETH_P_IP)) || !parse_is_tag(proto))
			break;
		/* A constant: the verifier loses the bound of an offset that clang reloads. */
		tag = packet_bytes(xdp, sizeof(*ethernet) + i * sizeof(*tag), sizeof(*tag));
		if (!tag)
			return 0;
		parse_vlan(packet, tag->tci & bpf_htons(PARSE_VLAN_ID));
		proto = tag->proto;
		packet->l3 += sizeof(*tag);
	}
	return proto;
}

static __always_inline struct sl_addr mapped(__be32 addr)
{
	return (struct sl_addr){ .words = { 0, 0, bpf_htonl(0xffff), addr } };
}

/* IPv4 options (RFC 791 section 3.1): the first two are one byte long; each of the others has
 * its length in its second byte. A source route has behind that the place of the next address,
 * which is beyond the option once the route is finished.
 */
#define OPTION_END          0
#define OPTION_NOP          1
#define OPTION_LOOSE_ROUTE  131
#define OPTION_STRICT_ROUTE 137
#define OPTION_ROUTE_MIN    3

/* How far the walk over the options has come. */
struct options {
	struct xdp_md *xdp;
	__u32 at, end; /* offsets in the frame */
	__u32 verdict; /* SL_NEXT, unless the kernel is to have the packet */
};

/* Steps over one option. Returns whether it was the last. */
static __always_inline bool parse_option(struct options *options)
{
	__u8 *option = packet_bytes(options->xdp, options->at, 1);
	__u8 *more = packet_bytes(options->xdp, options->at + 1, 2);
	__u8 length;

	if (!option || *option == OPTION_END)
		return true;
	if (*option == OPTION_NOP) {
		options->at++;
		return false;
	}
	/* What is behind a malformed option, no receiver reads. */
	length = more ? more[0] : 0;
	if (length < 2 || options->at + length > options->end)
		return true;
	if ((*option == OPTION_LOOSE_ROUTE || *option == OPTION_STRICT_ROUTE) &&
	    (length < OPTION_ROUTE_MIN || more[1] <= length))
		options->verdict = SL_PASS_PROTOCOL;
	options->at += length;
	return options->verdict;
}

static long parse_next_option(__u32 i, void *options)
{
	(void)i;
	return parse_option(options) ||
	       ((struct options *)options)->at >= ((struct options *)options)->end;
}

/* The verdict on a packet with options between two offsets: a route that its source has chosen
 * and that is not finished leads elsewhere. A global function and bpf_loop(), for the sake of
 * the verifier.
 */
__noinline int parse_options(struct xdp_md *xdp, __u32 at, __u32 end)
{
	struct options options = { .xdp = xdp, .at = at, .end = end };

	bpf_loop(PARSE_IPV4_OPTIONS, parse_next_option, &options, 0);
	return options.verdict;
}

/* In place of a verdict, in `broken`: parse_left() is to come, for a packet or for the first
 * fragment of one. So the compiler has no call among the packets that have no options.
 */
#define PARSE_OPTIONS_LEFT  SL_VERDICT_COUNT
#define PARSE_FRAGMENT_LEFT (SL_VERDICT_COUNT + 1)

/* Parses what was left until it is known that the packet is not the kernel's. */
static __always_inline void parse_left(struct xdp_md *xdp, struct sl_packet *packet)
{
	__u32 broken = packet->broken;

	if (likely(broken < PARSE_OPTIONS_LEFT))
		return;
	packet->broken = parse_options(xdp, packet->l3 + sizeof(struct iphdr), packet->l4);
	if (!packet->broken && broken == PARSE_FRAGMENT_LEFT)
		packet->broken = SL_DROP_FRAGMENT;
}

/* Whether the packet, of which parse_left() has parsed nothing yet, is the first fragment of one. */
static __always_inline bool parse_is_fragment(const struct sl_packet *packet)
{
	return packet->broken == SL_DROP_FRAGMENT || packet->broken == PARSE_FRAGMENT_LEFT;
}

/* Parses IPv4 up to the end of its options. */
static __always_inline enum sl_verdict parse_ipv4(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct iphdr *ip = packet_ipv4(xdp, packet);
	__u32 header, total;
	__be16 fragment;

	if (!ip)
		return SL_PASS_MALFORMED;
	header = sizeof(*ip);
	packet->broken = SL_NEXT;
	if (unlikely(*(const __u8 *)ip != PARSE_IPV4_PLAIN)) {
		if (ip->version != 4 || ip->ihl < PARSE_IPV4_WORDS)
			return SL_PASS_MALFORMED;
		header = ip->ihl * 4;
		packet->broken = PARSE_OPTIONS_LEFT;
	}
	total = bpf_ntohs(ip->tot_len);
	if (total < header || packet->l3 + total > packet->length)
		return SL_PASS_MALFORMED;
	fragment = ip->frag_off & bpf_htons(PARSE_IPV4_OFFSET | PARSE_IPV4_MORE);
	packet->l4 = packet->l3 + header;
	packet->destination.proto = ip->protocol;
	packet->destination.family = SL_FAMILY_IPV4;
	packet->destination.addr = mapped(ip->daddr);
	packet->source = mapped(ip->saddr);
	packet->end = packet->l3 + total;
	if (likely(!fragment))
		return SL_NEXT;
	if (fragment & bpf_htons(PARSE_IPV4_OFFSET))
		return SL_PASS_FRAGMENT;
	packet->broken = packet->broken ? PARSE_FRAGMENT_LEFT : SL_DROP_FRAGMENT;
	return SL_NEXT;
}

/* The walk over extension headers ends before the transport header, whose protocol is not known:
 * it may be ICMP.
 */
static __always_inline enum sl_verdict parse_opaque(struct sl_packet *packet)
{
	packet->destination.proto = PARSE_OPAQUE;
	return SL_PASS_PROTOCOL;
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

	packet->destination.proto = next;
	for (int i = 0; i <= PARSE_IPV6_EXTENSIONS; i++) {
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			extension = packet_bytes(xdp, offset, sizeof(*extension));
			if (!extension || offset + PARSE_IPV6_UNIT > packet->end)
				return SL_PASS_MALFORMED;
			if (next == IPPROTO_ROUTING && extension->segments_left)
				return parse_opaque(packet);
			next = extension->next;
			offset += (extension->units + 1) * PARSE_IPV6_UNIT;
			break;
		case IPPROTO_FRAGMENT:
			fragment = packet_bytes(xdp, offset, sizeof(*fragment));
			if (!fragment || offset + PARSE_IPV6_UNIT > packet->end)
				return SL_PASS_MALFORMED;
			packet->destination.proto = fragment->next;
			if (fragment->offset & bpf_htons(0xfff8))
				return SL_PASS_FRAGMENT;
			if (fragment->offset & bpf_htons(1))
				packet->broken = SL_DROP_FRAGMENT;
			next = fragment->next;
			offset += sizeof(*fragment);
			break;
		default:
			packet->l4 = offset;
			packet->destination.proto = next;
			return offset > packet->end ? SL_PASS_MALFORMED : SL_NEXT;
		}
	}
	return parse_opaque(packet);
}

static __always_inline enum sl_verdict parse_ipv6(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct ipv6hdr *ip = packet_ipv6(xdp, packet);

	if (!ip || ip->version != 6)
		return SL_PASS_MALFORMED;
	packet->end = packet->l3 + sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (packet->end > packet->length)
		return SL_PASS_MALFORMED;

	packet->broken = SL_NEXT;
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

/* TCP and UDP begin alike: source port, destination port. */
static __always_inline void parse_ports(struct sl_packet *packet, const void *transport)
{
	const struct udphdr *udp = transport;

	packet->source_port = udp->source;
	packet->destination.port = udp->dest;
}

/* Notes a header that is not whole, which counts for more than options that stand before it.
 * Returns whether the ports, at least, are in the packet.
 */
static __always_inline bool parse_malformed(struct sl_packet *packet, __u32 rest)
{
	if (!parse_is_fragment(packet))
		packet->broken = SL_DROP_MALFORMED;
	return rest >= PARSE_PORTS;
}

/* Parses the ports of a header that is cut short. */
static __always_inline bool parse_cut(struct xdp_md *xdp, struct sl_packet *packet, __u32 rest)
{
	const void *ports = packet_bytes(xdp, packet->l4, PARSE_PORTS);

	if (!ports)
		return false;
	parse_ports(packet, ports);
	packet->syn = false;
	packet->closing = 0;
	return parse_malformed(packet, rest);
}

/* Parses ports and flags. Returns whether the ports are there; `broken` says whether the whole
 * header is. rest: bytes of the packet from here on.
 */
static __always_inline bool parse_tcp(struct xdp_md *xdp, struct sl_packet *packet, __u32 rest)
{
	const struct tcphdr *tcp = packet_tcp(xdp, packet);
	__u32 header, flags;

	if (unlikely(!tcp))
		return parse_cut(xdp, packet, rest);
	parse_ports(packet, tcp);
	flags = *((const __u8 *)tcp + TCP_FLAGS_AT);
	/* By arithmetic, because the verifier would follow both sides of a branch: of all values, 0
	 * alone has its highest bit set when 1 is taken off.
	 */
	packet->syn = (((flags & (TCP_SYN | TCP_ACK)) ^ TCP_SYN) - 1) >> 31;
	packet->closing = flags & (TCP_FIN | TCP_RST);
	header = tcp->doff * 4;
	if (unlikely(header < sizeof(*tcp) || header > rest))
		return parse_malformed(packet, rest);
	return true;
}

/* The same of UDP, which has no flags. */
static __always_inline bool parse_udp(struct xdp_md *xdp, struct sl_packet *packet, __u32 rest)
{
	const struct udphdr *udp = packet_udp(xdp, packet);
	__u32 length;

	if (unlikely(!udp))
		return parse_cut(xdp, packet, rest);
	parse_ports(packet, udp);
	packet->syn = false;
	packet->closing = 0;
	length = bpf_ntohs(udp->len);
	/* A fragment, which is longer as a whole, is broken already. */
	if (unlikely(length < sizeof(*udp) || length > rest))
		return parse_malformed(packet, rest);
	return true;
}

/* Parses the ports, and notes whether the whole header is there. The ports alone decide
 * whether the packet is a service's; only if it is may it be dropped for the rest.
 */
static __always_inline enum sl_verdict parse_transport(struct xdp_md *xdp, struct sl_packet *packet)
{
	__u32 rest = packet->end - packet->l4;

	switch (packet->destination.proto) {
	case IPPROTO_TCP:
		return parse_tcp(xdp, packet, rest) ? SL_NEXT : SL_PASS_MALFORMED;
	case IPPROTO_UDP:
		return parse_udp(xdp, packet, rest) ? SL_NEXT : SL_PASS_MALFORMED;
	}
	return SL_PASS_PROTOCOL;
}

static __always_inline enum sl_verdict parse_packet(struct xdp_md *xdp, struct sl_packet *packet)
{
	enum sl_verdict verdict;

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
	return verdict ?: parse_transport(xdp, packet);
}

#endif
