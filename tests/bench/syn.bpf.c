/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Makes TCP SYNs of what the kernel's pktgen sends, which knows UDP alone: for the
 * egress of the device that it sends from (scripts/bench-pktgen.sh -S). Addresses,
 * ports and the frame's length stay; what the SYN does not need of the frame is
 * padding. Everything but pktgen's packets is left as it is.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PKTGEN_MAGIC 0xbe9be955 /* what its payload begins with (net/core/pktgen.c) */

/* RFC 1071 */
static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Writes the SYN where the UDP header is. `pseudo`: the sum of the addresses. */
static __always_inline void write_syn(struct udphdr *udp, __u64 pseudo)
{
	struct tcphdr syn = {
		.source = udp->source,
		.dest = udp->dest,
		.seq = bpf_htonl(1),
		.doff = sizeof(syn) / 4,
		.syn = 1,
		.window = bpf_htons(65535),
	};

	pseudo += bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(syn));
	syn.check = fold(bpf_csum_diff(NULL, 0, (__be32 *)&syn, sizeof(syn), 0) + pseudo);
	*(struct tcphdr *)udp = syn;
}

/* The UDP header at `at`, if it is one of pktgen's. */
static __always_inline struct udphdr *pktgen_udp(void *at, const void *end)
{
	struct udphdr *udp = at;

	if (at + sizeof(struct tcphdr) > end || *(__be32 *)(udp + 1) != bpf_htonl(PKTGEN_MAGIC))
		return NULL;
	return udp;
}

static __always_inline void change_ipv4(struct iphdr *ip, const void *end)
{
	if ((void *)(ip + 1) > end || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return;

	struct udphdr *udp = pktgen_udp(ip + 1, end);

	if (!udp)
		return;
	ip->protocol = IPPROTO_TCP;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(struct tcphdr));
	ip->check = 0;
	ip->check = fold(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
	write_syn(udp, (__u64)bpf_csum_diff(NULL, 0, &ip->saddr, 8, 0));
}

static __always_inline void change_ipv6(struct ipv6hdr *ip, const void *end)
{
	if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_UDP)
		return;

	struct udphdr *udp = pktgen_udp(ip + 1, end);

	if (!udp)
		return;
	ip->nexthdr = IPPROTO_TCP;
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	write_syn(udp, (__u64)bpf_csum_diff(NULL, 0, (__be32 *)&ip->saddr, 32, 0));
}

SEC("tc")
int syn(struct __sk_buff *skb)
{
	if (bpf_skb_pull_data(skb, 0))
		return TC_ACT_OK;

	struct ethhdr *eth = (void *)(long)skb->data;
	const void *end = (void *)(long)skb->data_end;

	if ((void *)(eth + 1) > end)
		return TC_ACT_OK;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		change_ipv4((void *)(eth + 1), end);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		change_ipv6((void *)(eth + 1), end);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
