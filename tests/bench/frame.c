/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Frames of Ethernet, IPv4 or IPv6, TCP or UDP, with right lengths and
 * checksums. Every frame is as long as the generator wants it; what the IP
 * packet does not fill is Ethernet padding.
 */
#include "tests/bench/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#define TTL           64
#define DONT_FRAGMENT 0x4000 /* in the fragment field (RFC 791) */

const __u8 frame_dst_mac[6] = { 2, 0, 0, 0, 0xbe, 1 };
static const __u8 src_mac[6] = { 2, 0, 0, 0, 0xbe, 2 };

/* RFC 1071, over 16-bit words as they lie in memory; length is even. */
static __u32 sum_words(const void *data, size_t length, __u32 sum)
{
	const __u8 *bytes = data;

	for (size_t i = 0; i < length; i += 2) {
		__u16 word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static __u16 fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static size_t transport_header_size(const struct frame *frame)
{
	return frame->proto == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

/* Writes the header; its checksum covers `length` bytes from there and `pseudo`,
 * the sum of the addresses. Returns where the checksum is.
 */
static __u8 *write_transport(const struct frame *frame, __u8 *at, size_t length, __u32 pseudo)
{
	__be16 source = frame->from_client ? 0 : frame->port;
	__be16 dest = frame->from_client ? frame->port : 0;
	size_t checksum_at;

	if (frame->proto == IPPROTO_TCP) {
		struct tcphdr tcp = {
			.source = source,
			.dest = dest,
			.seq = htonl(1),
			.doff = sizeof(tcp) / 4,
			.syn = frame->syn,
			.ack = !frame->syn,
			.psh = !frame->syn,
			.window = htons(65535),
		};

		memcpy(at, &tcp, sizeof(tcp));
		checksum_at = offsetof(struct tcphdr, check);
	} else {
		struct udphdr udp = { .source = source, .dest = dest, .len = htons(length) };

		memcpy(at, &udp, sizeof(udp));
		checksum_at = offsetof(struct udphdr, check);
	}

	__u16 checksum = fold(sum_words(at, length, pseudo + htons(frame->proto) + htons(length)));

	memcpy(at + checksum_at, &checksum, sizeof(checksum));
	return at + checksum_at;
}

static void make_ipv4(const struct frame *frame, __u8 *start, struct generator_config *config)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = TTL, .protocol = frame->proto };
	__u8 *at = start + sizeof(struct ethhdr);
	size_t length = frame->syn ? transport_header_size(frame)
				   : (size_t)(8 * GENERATOR_SHORT_WORDS) - sizeof(ip);
	__be32 client = htonl(0x0a000000);

	ip.tot_len = htons(sizeof(ip) + length);
	ip.frag_off = htons(DONT_FRAGMENT);
	ip.saddr = frame->from_client ? client : frame->ip.addr.words[3];
	ip.daddr = frame->from_client ? frame->ip.addr.words[3] : client;
	ip.check = fold(sum_words(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));

	__u32 pseudo = sum_words(&ip.saddr, 8, 0);
	__u8 *checksum = write_transport(frame, at + sizeof(ip), length, pseudo);

	config->words = GENERATOR_SHORT_WORDS;
	config->address_at = at - start +
			     (frame->from_client ? offsetof(struct iphdr, saddr)
						 : offsetof(struct iphdr, daddr));
	config->ip_checksum_at = at - start + offsetof(struct iphdr, check);
	config->ports_at = at - start + sizeof(ip);
	config->port_at = config->ports_at + (frame->from_client ? 0 : 2);
	config->checksum_at = checksum - start;
	config->spread_at = at - start +
			    (frame->from_client ? offsetof(struct iphdr, daddr)
						: offsetof(struct iphdr, saddr));
}

static void make_ipv6(const struct frame *frame, __u8 *start, struct generator_config *config)
{
	struct ipv6hdr ip = { .version = 6, .nexthdr = frame->proto, .hop_limit = TTL };
	__u8 *at = start + sizeof(struct ethhdr);
	size_t length = frame->syn ? transport_header_size(frame)
				   : (size_t)(8 * GENERATOR_LONG_WORDS) - sizeof(ip);
	/* 2001:db8:0:0::1; the flow's number fills the two zeros before "::". */
	const struct sl_addr client = { .bytes = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	const struct sl_addr *source = frame->from_client ? &client : &frame->ip.addr;
	const struct sl_addr *dest = frame->from_client ? &frame->ip.addr : &client;

	ip.payload_len = htons(length);
	memcpy(&ip.saddr, source, sizeof(ip.saddr));
	memcpy(&ip.daddr, dest, sizeof(ip.daddr));
	memcpy(at, &ip, sizeof(ip));

	__u32 pseudo = sum_words(source, sizeof(*source), sum_words(dest, sizeof(*dest), 0));
	__u8 *checksum = write_transport(frame, at + sizeof(ip), length, pseudo);

	config->words = GENERATOR_LONG_WORDS;
	config->address_at = at - start + 4 +
			     (frame->from_client ? offsetof(struct ipv6hdr, saddr)
						 : offsetof(struct ipv6hdr, daddr));
	config->ip_checksum_at = 0;
	config->ports_at = at - start + sizeof(ip);
	config->port_at = config->ports_at + (frame->from_client ? 0 : 2);
	config->checksum_at = checksum - start;
	config->spread_at = at - start + 12 +
			    (frame->from_client ? offsetof(struct ipv6hdr, daddr)
						: offsetof(struct ipv6hdr, saddr));
}

void frame_make(const struct frame *frame, struct generator_config *ret_config)
{
	struct generator_config config = { .udp = frame->proto == IPPROTO_UDP,
					   .spread = frame->spread ?: 1 };
	bool ipv4 = frame->ip.family == SL_FAMILY_IPV4;
	struct ethhdr eth = { .h_proto = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6) };
	__u8 *start = config.frame;

	memcpy(eth.h_dest, frame_dst_mac, sizeof(eth.h_dest));
	memcpy(eth.h_source, src_mac, sizeof(eth.h_source));
	memcpy(start, &eth, sizeof(eth));
	if (ipv4)
		make_ipv4(frame, start, &config);
	else
		make_ipv6(frame, start, &config);
	*ret_config = config;
}
