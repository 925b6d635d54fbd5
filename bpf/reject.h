/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Refusals: a TCP reset (RFC 9293 section 3.10.7.1), for all else ICMP "administratively
 * prohibited" (RFC 1812 section 5.2.7.1; ICMPv6: RFC 4443 section 3.1) or "too big", made of
 * the packet that is refused and sent back where it came from. Never more refusals than
 * sl_tuning allows, no reset to a reset, nothing to an address that is not one machine's, and
 * none that is longer than its packet by more than an IP and an ICMP header.
 */
#ifndef SLUICE_BPF_REJECT_H
#define SLUICE_BPF_REJECT_H

#include <linux/if_ether.h>
#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/packet.h"
#include "bpf/parse.h"

#define REJECT_TTL 64

/* "Destination unreachable" with its codes, and ICMPv6's "packet too big"; the
 * kernel's headers that name these do not compile for BPF.
 */
#define REJECT_ICMP_UNREACHABLE   3
#define REJECT_ICMP_TOO_BIG       4
#define REJECT_ICMP_PROHIBITED    13
#define REJECT_ICMPV6_UNREACHABLE 1
#define REJECT_ICMPV6_PROHIBITED  1
#define REJECT_ICMPV6_TOO_BIG     2

/* An IPv6 sender makes no packets shorter than this (RFC 8200 section 5). */
#define REJECT_IPV6_MTU 1280

/* The bytes of the refused packet's transport header that an ICMP message quotes: the ports,
 * by which a sender finds its socket.
 */
#define REJECT_QUOTED 8

/* The part that a TCP or ICMPv6 checksum covers beside the segment (RFC 9293 section 3.1, RFC
 * 8200 section 8.1). For IPv4 the mapped prefix, the same in both addresses, would count too:
 * only the last words are filled.
 */
struct pseudo_header {
	struct sl_addr source, destination;
	__be32 length;
	__be32 proto;
};

static __always_inline __u16 reject_fold(__s64 sum)
{
	__u32 folded = (__u32)sum;

	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return (__u16)~folded;
}

/* The sum over the pseudo header of a refusal, which goes the other way. */
static __always_inline __s64 reject_pseudo(const struct sl_packet *packet, __u8 proto, __u32 length)
{
	struct pseudo_header pseudo = {
		.length = bpf_htonl(length),
		.proto = bpf_htonl(proto),
	};

	if (packet_is_ipv6(packet)) {
		pseudo.source = packet->destination.addr;
		pseudo.destination = packet->source;
	} else {
		pseudo.source.words[3] = packet->destination.addr.words[3];
		pseudo.destination.words[3] = packet->source.words[3];
	}
	return bpf_csum_diff(NULL, 0, (__be32 *)&pseudo, sizeof(pseudo), 0);
}

/* Writes the IP header of the refusal at l3; length: of what follows it. */
static __always_inline bool reject_ip(struct xdp_md *xdp, const struct sl_packet *packet,
				      __u8 proto, __u32 length)
{
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	if (packet_is_ipv6(packet)) {
		ip6 = packet_ipv6(xdp, packet);
		if (!ip6)
			return false;
		*ip6 = (struct ipv6hdr){
			.version = 6,
			.payload_len = bpf_htons(length),
			.nexthdr = proto,
			.hop_limit = REJECT_TTL,
		};
		__builtin_memcpy(&ip6->saddr, &packet->destination.addr, sizeof(ip6->saddr));
		__builtin_memcpy(&ip6->daddr, &packet->source, sizeof(ip6->daddr));
		return true;
	}
	ip = packet_ipv4(xdp, packet);
	if (!ip)
		return false;
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(*ip) + length),
		.frag_off = bpf_htons(0x4000), /* don't fragment: an id is not needed */
		.ttl = REJECT_TTL,
		.protocol = proto,
		.saddr = packet->destination.addr.words[3],
		.daddr = packet->source.words[3],
	};
	ip->check = reject_fold(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
	return true;
}

/* Back to where the frame came from. VLAN tags stay as they are. */
static __always_inline bool reject_ethernet(struct xdp_md *xdp)
{
	struct ethhdr *ethernet = packet_ethernet(xdp);
	__u8 mac[ETH_ALEN];

	if (!ethernet)
		return false;
	__builtin_memcpy(mac, ethernet->h_dest, sizeof(mac));
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, sizeof(mac));
	__builtin_memcpy(ethernet->h_source, mac, sizeof(mac));
	return true;
}

static __always_inline bool reject_tcp(struct xdp_md *xdp, const struct sl_packet *packet)
{
	struct tcphdr *tcp = packet_tcp(xdp, packet), reset = {};
	__u32 payload;

	if (!tcp || tcp->rst)
		return false;
	payload = packet->end - packet->l4 - tcp->doff * 4;
	reset.source = tcp->dest;
	reset.dest = tcp->source;
	reset.doff = sizeof(reset) / 4;
	reset.rst = 1;
	if (tcp->ack) {
		reset.seq = tcp->ack_seq;
	} else {
		reset.ack = 1;
		reset.ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + payload + tcp->syn + tcp->fin);
	}
	if (bpf_xdp_adjust_tail(xdp, (int)(packet->l4 + sizeof(reset)) - (int)packet->length) ||
	    !reject_ip(xdp, packet, IPPROTO_TCP, sizeof(reset)))
		return false;
	reset.check = reject_fold(
		bpf_csum_diff(NULL, 0, (__be32 *)&reset, sizeof(reset),
			      (__wsum)reject_pseudo(packet, IPPROTO_TCP, sizeof(reset))));
	tcp = packet_tcp(xdp, packet);
	if (!tcp)
		return false;
	*tcp = reset;
	return reject_ethernet(xdp);
}

/* The beginning of all ICMP messages. */
struct icmp_head {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 mtu; /* of "too big"; IPv4 has it in the last 16 bits (RFC 1191 section 4) */
};

/* Puts room for an IP and an ICMP header between the frame's header and the IP header of the
 * refused packet, of which the beginning alone is left.
 */
static __always_inline bool reject_make_room(struct xdp_md *xdp, const struct sl_packet *packet,
					     __u32 room)
{
	__u8 head[sizeof(struct ethhdr) + PARSE_VLAN_TAGS * sizeof(struct vlan_tag)];
	void *bytes;

	if (bpf_xdp_adjust_tail(xdp, (int)(packet->l4 + REJECT_QUOTED) - (int)packet->length) ||
	    bpf_xdp_adjust_head(xdp, -(int)room))
		return false;
	/* With fewer tags these are some bytes too many: the IP header is written over them. */
	bytes = packet_bytes(xdp, room, sizeof(head));
	if (!bytes)
		return false;
	__builtin_memcpy(head, bytes, sizeof(head));
	bytes = packet_bytes(xdp, 0, sizeof(head));
	if (!bytes)
		return false;
	__builtin_memcpy(bytes, head, sizeof(head));
	return true;
}

/* message: without its checksum; ip_size: of the IP header, the refused one and the
 * refusal's.
 */
static __always_inline bool reject_icmp(struct xdp_md *xdp, const struct sl_packet *packet,
					const struct icmp_head *message, __u32 ip_size)
{
	bool ipv6 = packet_is_ipv6(packet);
	struct icmp_head *head;
	__u32 quoted = ip_size + REJECT_QUOTED;
	__s64 sum = ipv6 ? reject_pseudo(packet, IPPROTO_ICMPV6, sizeof(*head) + quoted) : 0;

	if (!reject_make_room(xdp, packet, ip_size + sizeof(*head)) ||
	    !reject_ip(xdp, packet, ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, sizeof(*head) + quoted))
		return false;
	head = packet_bytes(xdp, packet->l3 + ip_size, sizeof(*head) + quoted);
	if (!head)
		return false;
	*head = *message;
	head->check = reject_fold(
		bpf_csum_diff(NULL, 0, (__be32 *)head, sizeof(*head) + quoted, (__wsum)sum));
	return reject_ethernet(xdp);
}

/* Whether the packet's source is one machine's address, which a refusal reaches
 * (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
 */
static __always_inline bool reject_has_reader(const struct sl_packet *packet)
{
	const __u8 *bytes = packet->source.bytes;

	if (packet_is_ipv6(packet))
		return bytes[0] != 0xff && (packet->source.halves[0] || packet->source.words[2] ||
					    packet->source.words[3]);
	return bytes[12] && bytes[12] != 127 && bytes[12] < 224;
}

/* Whether the packet can be refused. One with IP options or extension headers is dropped
 * instead: clients that connect do not send them.
 */
static __always_inline bool reject_can(const struct sl_packet *packet)
{
	bool ipv6 = packet_is_ipv6(packet);

	return packet->l4 - packet->l3 ==
		       (ipv6 ? (int)sizeof(struct ipv6hdr) : (int)sizeof(struct iphdr)) &&
	       reject_has_reader(packet);
}

/* Refuses a packet that is not served. */
static __always_inline bool reject_packet(struct xdp_md *xdp, struct sl_packet *packet)
{
	const struct icmp_head prohibited = {
		.type = REJECT_ICMP_UNREACHABLE,
		.code = REJECT_ICMP_PROHIBITED,
	};
	const struct icmp_head prohibited6 = {
		.type = REJECT_ICMPV6_UNREACHABLE,
		.code = REJECT_ICMPV6_PROHIBITED,
	};

	if (!reject_can(packet))
		return false;
	packet->action = XDP_TX;
	if (packet_is_tcp(packet))
		return reject_tcp(xdp, packet);
	if (packet_is_ipv6(packet))
		return reject_icmp(xdp, packet, &prohibited6, sizeof(struct ipv6hdr));
	return reject_icmp(xdp, packet, &prohibited, sizeof(struct iphdr));
}

/* Tells the sender that the packet is longer than mtu: ICMP "fragmentation needed"
 * (RFC 1191 section 4), ICMPv6 "packet too big" (RFC 4443 section 3.2).
 */
static __always_inline bool reject_too_big(struct xdp_md *xdp, struct sl_packet *packet, __u32 mtu)
{
	struct icmp_head message = {
		.type = REJECT_ICMP_UNREACHABLE,
		.code = REJECT_ICMP_TOO_BIG,
		.mtu = bpf_htonl(mtu),
	};

	if (!reject_can(packet))
		return false;
	packet->action = XDP_TX;
	if (!packet_is_ipv6(packet))
		return reject_icmp(xdp, packet, &message, sizeof(struct iphdr));
	message.type = REJECT_ICMPV6_TOO_BIG;
	message.code = 0;
	if (mtu < REJECT_IPV6_MTU)
		message.mtu = bpf_htonl(REJECT_IPV6_MTU);
	return reject_icmp(xdp, packet, &message, sizeof(struct ipv6hdr));
}

#endif
