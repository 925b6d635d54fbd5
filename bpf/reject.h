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
#define REJECT_ICMP_PORT          3
#define REJECT_ICMP_PROHIBITED    13
#define REJECT_ICMPV6_UNREACHABLE 1
#define REJECT_ICMPV6_PROHIBITED  1
#define REJECT_ICMPV6_PORT        4
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

/* A packet that is refused, and the message for its sender. */
struct refusal {
	struct sl_addr source, destination; /* of the packet */
	__u32 family, proto;
	__u32 l3, l4;      /* offsets of the IP and the transport header */
	__u32 end, length; /* offset behind the packet; of the frame */
	__be32 mtu;        /* of ICMP's "too big" */
	__u8 type, code;   /* of ICMP; type 0: a TCP reset */
	__u16 pad;         /* zero: the verifier wants all of it to be set */
};

static __always_inline __u16 reject_fold(__s64 sum)
{
	__u32 folded = (__u32)sum;

	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return (__u16)~folded;
}

static __always_inline bool reject_is_ipv6(const struct refusal *refusal)
{
	return refusal->family == SL_FAMILY_IPV6;
}

/* The sum over the pseudo header of a refusal, which goes the other way. */
static __always_inline __s64 reject_pseudo(const struct refusal *refusal, __u8 proto, __u32 length)
{
	struct pseudo_header pseudo = {
		.length = bpf_htonl(length),
		.proto = bpf_htonl(proto),
	};

	if (reject_is_ipv6(refusal)) {
		pseudo.source = refusal->destination;
		pseudo.destination = refusal->source;
	} else {
		pseudo.source.words[3] = refusal->destination.words[3];
		pseudo.destination.words[3] = refusal->source.words[3];
	}
	return bpf_csum_diff(NULL, 0, (__be32 *)&pseudo, sizeof(pseudo), 0);
}

/* Writes the IP header of the refusal at l3; length: of what follows it. */
static __always_inline bool reject_ip(struct xdp_md *xdp, const struct refusal *refusal, __u8 proto,
				      __u32 length)
{
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	if (reject_is_ipv6(refusal)) {
		ip6 = packet_bytes(xdp, refusal->l3, sizeof(*ip6));
		if (!ip6)
			return false;
		*ip6 = (struct ipv6hdr){
			.version = 6,
			.payload_len = bpf_htons(length),
			.nexthdr = proto,
			.hop_limit = REJECT_TTL,
		};
		__builtin_memcpy(&ip6->saddr, &refusal->destination, sizeof(ip6->saddr));
		__builtin_memcpy(&ip6->daddr, &refusal->source, sizeof(ip6->daddr));
		return true;
	}
	ip = packet_bytes(xdp, refusal->l3, sizeof(*ip));
	if (!ip)
		return false;
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(*ip) + length),
		.frag_off = bpf_htons(0x4000), /* don't fragment: an id is not needed */
		.ttl = REJECT_TTL,
		.protocol = proto,
		.saddr = refusal->destination.words[3],
		.daddr = refusal->source.words[3],
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

static __always_inline bool reject_tcp(struct xdp_md *xdp, const struct refusal *refusal)
{
	struct tcphdr *tcp = packet_bytes(xdp, refusal->l4, sizeof(*tcp)), reset = {};
	__u32 payload;

	if (!tcp || tcp->rst)
		return false;
	payload = refusal->end - refusal->l4 - tcp->doff * 4;
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
	if (bpf_xdp_adjust_tail(xdp, (int)(refusal->l4 + sizeof(reset)) - (int)refusal->length) ||
	    !reject_ip(xdp, refusal, IPPROTO_TCP, sizeof(reset)))
		return false;
	reset.check = reject_fold(
		bpf_csum_diff(NULL, 0, (__be32 *)&reset, sizeof(reset),
			      (__wsum)reject_pseudo(refusal, IPPROTO_TCP, sizeof(reset))));
	tcp = packet_bytes(xdp, refusal->l4, sizeof(*tcp));
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
static __always_inline bool reject_make_room(struct xdp_md *xdp, const struct refusal *refusal,
					     __u32 room)
{
	__u8 head[sizeof(struct ethhdr) + PARSE_VLAN_TAGS * sizeof(struct vlan_tag)];
	void *bytes;

	if (bpf_xdp_adjust_tail(xdp, (int)(refusal->l4 + REJECT_QUOTED) - (int)refusal->length) ||
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

/* ip_size: of the IP header, the refused packet's and the refusal's. */
static __always_inline bool reject_icmp(struct xdp_md *xdp, const struct refusal *refusal,
					__u32 ip_size)
{
	bool ipv6 = reject_is_ipv6(refusal);
	struct icmp_head *head;
	__u32 quoted = ip_size + REJECT_QUOTED;
	__s64 sum = ipv6 ? reject_pseudo(refusal, IPPROTO_ICMPV6, sizeof(*head) + quoted) : 0;

	if (!reject_make_room(xdp, refusal, ip_size + sizeof(*head)) ||
	    !reject_ip(xdp, refusal, ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, sizeof(*head) + quoted))
		return false;
	head = packet_bytes(xdp, refusal->l3 + ip_size, sizeof(*head) + quoted);
	if (!head)
		return false;
	*head = (struct icmp_head){
		.type = refusal->type,
		.code = refusal->code,
		.mtu = refusal->mtu,
	};
	head->check = reject_fold(
		bpf_csum_diff(NULL, 0, (__be32 *)head, sizeof(*head) + quoted, (__wsum)sum));
	return reject_ethernet(xdp);
}

/* Makes the refusal of the packet. A function of its own to the verifier, which follows it once
 * and not for each way that leads here.
 */
__noinline int reject_make(struct xdp_md *xdp, const struct refusal *refusal)
{
	if (!refusal)
		return false;
	if (!refusal->type)
		return reject_tcp(xdp, refusal);
	if (reject_is_ipv6(refusal))
		return reject_icmp(xdp, refusal, sizeof(struct ipv6hdr));
	return reject_icmp(xdp, refusal, sizeof(struct iphdr));
}

/* Why a packet is refused: the service does not serve it; or there is no service, which for UDP
 * is a port that is unreachable.
 */
enum reject_why { REJECT_PROHIBITED, REJECT_UNREACHABLE };

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

/* A refusal of the packet; the message is the caller's to choose. */
static __always_inline struct refusal reject_begin(const struct sl_packet *packet)
{
	return (struct refusal){
		.source = packet->source,
		.destination = packet->destination.addr,
		.family = packet->destination.family,
		.proto = packet->destination.proto,
		.l3 = packet->l3,
		.l4 = packet->l4,
		.end = packet->end,
		.length = packet->length,
	};
}

static __always_inline bool reject_with(struct xdp_md *xdp, struct sl_packet *packet,
					struct refusal *refusal)
{
	if (!reject_can(packet))
		return false;
	packet->action = XDP_TX;
	return reject_make(xdp, refusal);
}

/* Refuses a packet that is not served; why: for a sender that is not told by a reset. */
static __always_inline bool reject_packet(struct xdp_md *xdp, struct sl_packet *packet,
					  enum reject_why why)
{
	bool port = why == REJECT_UNREACHABLE && packet->destination.proto == IPPROTO_UDP;
	struct refusal refusal = reject_begin(packet);

	if (packet_is_ipv6(packet)) {
		refusal.type = REJECT_ICMPV6_UNREACHABLE;
		refusal.code = port ? REJECT_ICMPV6_PORT : REJECT_ICMPV6_PROHIBITED;
	} else {
		refusal.type = REJECT_ICMP_UNREACHABLE;
		refusal.code = port ? REJECT_ICMP_PORT : REJECT_ICMP_PROHIBITED;
	}
	if (packet_is_tcp(packet))
		refusal.type = 0;
	return reject_with(xdp, packet, &refusal);
}

/* Tells the sender that the packet is longer than mtu: ICMP "fragmentation needed"
 * (RFC 1191 section 4), ICMPv6 "packet too big" (RFC 4443 section 3.2).
 */
static __always_inline bool reject_too_big(struct xdp_md *xdp, struct sl_packet *packet, __u32 mtu)
{
	struct refusal refusal = reject_begin(packet);

	if (packet_is_ipv6(packet)) {
		refusal.type = REJECT_ICMPV6_TOO_BIG;
		refusal.mtu = bpf_htonl(mtu < REJECT_IPV6_MTU ? REJECT_IPV6_MTU : mtu);
	} else {
		refusal.type = REJECT_ICMP_UNREACHABLE;
		refusal.code = REJECT_ICMP_TOO_BIG;
		refusal.mtu = bpf_htonl(mtu);
	}
	return reject_with(xdp, packet, &refusal);
}

#endif
