/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The program's word to the daemon: the packets that the program cannot send by itself, and
 * the next hops that it sends replies to.
 */
#ifndef SLUICE_BPF_UNSENT_H
#define SLUICE_BPF_UNSENT_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "sluice/verdict.h"

/* The libc header that has this does not compile for BPF. */
#define UNSENT_AF_INET6 10

_Static_assert((SL_DEFAULT_HOPS_USED & (SL_DEFAULT_HOPS_USED - 1)) == 0, "the mask is whole");

/* Whether the daemon is to hear in this interval that replies go to the MAC address. Next hops
 * share elements of the map; the factor puts two of them that share one apart in the next
 * interval.
 */
static __always_inline bool unsent_hop_is_due(const __u8 *mac, __u64 ticks)
{
	__u32 interval = ticks >> SL_HOP_USED_SHIFT, low, *named;

	__builtin_memcpy(&low, mac + 2, sizeof(low));
	low *= 2 * interval + 1;
	low = (low * 0x9e3779b1U) >> 16 & (SL_DEFAULT_HOPS_USED - 1);
	named = bpf_map_lookup_elem(&sl_hops_used, &low);
	if (!named || *named == interval)
		return false;
	*named = interval;
	return true;
}

/* What bpf_fib_lookup() has found: it leaves the next hop in the place of the destination. */
static __always_inline void unsent_describe(const struct sl_packet *packet,
					    const struct bpf_fib_lookup *fib,
					    enum sl_unsent_kind kind, struct sl_unsent *head)
{
	head->at_ns = bpf_ktime_get_ns();
	if (fib->family == UNSENT_AF_INET6) {
		__builtin_memcpy(&head->next, fib->ipv6_dst, sizeof(head->next));
		head->next_family = SL_FAMILY_IPV6;
	} else {
		head->next = mapped(fib->ipv4_dst);
		head->next_family = SL_FAMILY_IPV4;
	}
	head->kind = kind;
	head->length = 0;
	head->hop.mtu = fib->mtu_result;
	head->hop.ifindex = fib->ifindex;
	head->ingress = packet->ingress;
}

/* Tells the daemon of a next hop that replies go to, so that the daemon has the kernel follow
 * its MAC address: no packet of the kernel's would ask for it. ticks: of the gate's clock.
 */
static __always_inline void unsent_name_hop(const struct sl_packet *packet,
					    const struct bpf_fib_lookup *fib, __u64 ticks)
{
	struct sl_pace *pace = own_pace();
	struct sl_unsent *head;

	if (!unsent_hop_is_due(fib->dmac, ticks) || !pace ||
	    !pace_allows(&sl_tuning.events, &pace->hops, ticks))
		return;
	head = bpf_ringbuf_reserve(&sl_unsent, sizeof(*head), 0);
	if (!head)
		return;
	unsent_describe(packet, fib, SL_UNSENT_NOTHING, head);
	bpf_ringbuf_submit(head, 0);
}

/* Whether the daemon takes one more packet now, of this length; if so, it is charged. */
static __always_inline bool unsent_may(const struct sl_packet *packet)
{
	struct sl_pace *pace = own_pace();

	return packet->end - packet->l3 <= SL_UNSENT_BYTES && pace &&
	       pace_allows(&sl_tuning.unsent, &pace->unsent, kernel_ticks());
}

/* Copies the packet, as it is now, behind the head of its entry. */
static __always_inline enum sl_verdict
unsent_copy(struct xdp_md *xdp, const struct sl_packet *packet, struct sl_unsent_packet *entry)
{
	__u32 last = packet->end - packet->l3 - 1;

	entry->head.length = (__u16)(last + 1);
	/* What is compared is what the length is made of: older verifiers learn from it alone. */
	asm volatile("" : "+r"(last));
	if (last >= SL_UNSENT_BYTES || bpf_xdp_load_bytes(xdp, packet->l3, entry->bytes, last + 1))
		return SL_DROP_INTERNAL;
	return SL_NEXT;
}

/* Gives a packet that is longer than the hop's MTU to the daemon, which sends it in fragments. */
static __always_inline bool unsent_long(struct xdp_md *xdp, const struct sl_packet *packet,
					const struct sl_hop *hop)
{
	struct sl_unsent_packet *entry;

	if (!unsent_may(packet))
		return false;
	entry = bpf_ringbuf_reserve(&sl_unsent, sizeof(*entry), 0);
	if (!entry)
		return false;
	entry->head.at_ns = bpf_ktime_get_ns();
	entry->head.kind = SL_UNSENT_LONG;
	entry->head.ingress = packet->ingress;
	entry->head.hop = *hop;
	if (unsent_copy(xdp, packet, entry)) {
		bpf_ringbuf_discard(entry, 0);
		return false;
	}
	bpf_ringbuf_submit(entry, 0);
	return true;
}

#endif
