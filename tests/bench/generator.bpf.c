/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Makes a fresh frame for each repetition of BPF_PROG_TEST_RUN and hands it to
 * the program under test. Without it every repetition after the first would
 * see what the one before had left: a rewritten or encapsulated frame. Or sends
 * it over a link, with live frames, whose pages come back as they were left too.
 *
 * Each frame is the template again, whatever the target did to it, with the
 * addresses and ports of the next flow and with right checksums. A target may
 * move the frame's head (encapsulation), not its tail.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bench/generator.h"

const volatile struct generator_config config = {
	.words = GENERATOR_SHORT_WORDS,
};

/* One writer: the runner stays on one CPU. */
__u64 generated;
__u64 failed; /* frames that could not be restored, or found no target */

/* Frames that came back over the link: another MAC than the template's says that
 * somebody has sent them on. One writer: the device has one queue.
 */
__u64 came_forwarded;
__u64 came_untouched;

/* Arrays of one program, rather than one that is written between runs: each
 * write makes the kernel patch the call and wait, and the caches go cold.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} program_target SEC(".maps"), base_target SEC(".maps"), empty_target SEC(".maps");

static __always_inline void add_to_checksum(__u16 *checksum, __u32 addend)
{
	__u32 sum = (__u16) ~*checksum + addend;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*checksum = ~sum;
}

/* Multiplying by an odd number permutes the numbers below a power of two: each
 * flow comes once per cycle, and neighbours in time are far apart.
 */
static __always_inline __u32 next_flow(void)
{
	return (__u32)(generated * 0x9e3779b1U) & config.flow_mask;
}

/* Of the fixed end's address, where there are several: in another order than the
 * flows', so that each flow comes by all of them. The template has zeros there.
 */
static __always_inline __u32 stamp_spread(void *data)
{
	__u32 number = (__u64)(__u32)(generated * 0x85ebca6bU) * config.spread >> 32;
	__be32 bits = bpf_htonl(number);

	*(__u32 *)(data + config.spread_at) |= bits;
	return (bits & 0xffff) + (bits >> 16);
}

/* The template has zeros where the flow's number and port go, so that setting
 * those bits adds them to the checksums. Both are set in words as wide as the
 * ones that the target may load: the CPU cannot forward a store to a load that
 * reaches beyond it, and the wait would be charged to the target. Frames that a
 * NIC delivers have no such wait.
 */
static __always_inline void stamp(void *data, __u32 flow)
{
	__u32 in_word = (config.address_at - GENERATOR_ETH_SIZE) % 8;
	__be32 number = bpf_htonl(flow);
	__be16 port = bpf_htons(0x8000 | (flow & 0x7fff));
	__u32 sum = (number & 0xffff) + (number >> 16);
	__u16 *checksum = data + config.checksum_at;

	if (config.spread > 1)
		sum += stamp_spread(data);
	*(__u64 *)(data + config.address_at - in_word) |= (__u64)number << (in_word * 8);
	*(__u32 *)(data + config.ports_at) |= (__u32)port
					      << ((config.port_at - config.ports_at) * 8);
	if (config.ip_checksum_at)
		add_to_checksum(data + config.ip_checksum_at, sum);
	add_to_checksum(checksum, sum + port);
	if (config.udp && !*checksum)
		*checksum = 0xffff;
}

/* Stores that hold each header field whole, for the reason above. */
static __always_inline void copy_template(void *data)
{
	const volatile __u8 *from = config.frame;

	*(__u64 *)data = *(const volatile __u64 *)from;
	*(__u32 *)(data + 8) = *(const volatile __u32 *)(from + 8);
	*(__u16 *)(data + 12) = *(const volatile __u16 *)(from + 12);
	data += GENERATOR_ETH_SIZE;
	from += GENERATOR_ETH_SIZE;
#pragma unroll
	for (int i = 0; i < GENERATOR_SHORT_WORDS; i++)
		((__u64 *)data)[i] = ((const volatile __u64 *)from)[i];
	if (config.words == GENERATOR_SHORT_WORDS)
		return;
#pragma unroll
	for (int i = GENERATOR_SHORT_WORDS; i < GENERATOR_LONG_WORDS; i++)
		((__u64 *)data)[i] = ((const volatile __u64 *)from)[i];
}

/* Packet pointers are read afresh: moving the head makes older ones invalid. */
static __always_inline bool restore(struct xdp_md *xdp)
{
	__u32 length = GENERATOR_ETH_SIZE + 8 * config.words;
	long surplus = (void *)(long)xdp->data_end - (void *)(long)xdp->data - length;

	if (surplus && bpf_xdp_adjust_head(xdp, surplus))
		return false;

	void *data = (void *)(long)xdp->data;

	if (data + length > (void *)(long)xdp->data_end)
		return false;
	copy_template(data);
	stamp(data, next_flow());
	generated++;
	return true;
}

/* The program under test gets the frame. */
SEC("xdp")
int generate(struct xdp_md *xdp)
{
	if (restore(xdp))
		bpf_tail_call_static(xdp, &program_target, 0);
	failed++;
	return XDP_ABORTED;
}

/* The same, for another program that it is compared with. */
SEC("xdp")
int generate_for_base(struct xdp_md *xdp)
{
	if (restore(xdp))
		bpf_tail_call_static(xdp, &base_target, 0);
	failed++;
	return XDP_ABORTED;
}

/* The same, to measure what generating costs. */
SEC("xdp")
int generate_only(struct xdp_md *xdp)
{
	if (restore(xdp))
		bpf_tail_call_static(xdp, &empty_target, 0);
	failed++;
	return XDP_ABORTED;
}

SEC("xdp")
int empty(struct xdp_md *xdp __attribute__((unused)))
{
	return XDP_TX;
}

/* For live frames: onto the link. */
SEC("xdp")
int send(struct xdp_md *xdp)
{
	if (restore(xdp))
		return bpf_redirect(config.ifindex, 0);
	failed++;
	return XDP_DROP;
}

/* Where the link comes back. */
SEC("xdp")
int count(struct xdp_md *xdp)
{
	const __u8 *data = (void *)(long)xdp->data;
	const volatile __u8 *sent = config.frame;

	if (data + GENERATOR_ETH_SIZE > (const __u8 *)(long)xdp->data_end)
		return XDP_DROP;
	/* What a kernel sends of its own, ARP or multicast, is none of them. */
	if (data[0] & 1 || data[13] == 0x06)
		return XDP_DROP;
	if (*(const __u32 *)(data + 2) == *(const volatile __u32 *)(sent + 2))
		came_untouched++;
	else
		came_forwarded++;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
