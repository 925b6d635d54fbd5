/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage count, and what a verdict means to the driver.
 */
#ifndef SLUICE_BPF_COUNT_H
#define SLUICE_BPF_COUNT_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/verdict.h"

enum verdict_action { ACTION_PASS, ACTION_DROP, ACTION_FORWARD };

static __always_inline enum verdict_action verdict_action(enum sl_verdict verdict)
{
#define CASE(name, action, text) \
	case SL_##name:          \
		return ACTION_##action;
	switch (verdict) {
		SL_VERDICTS(CASE)
	case SL_NEXT:
	case SL_VERDICT_COUNT:
		break;
	}
#undef CASE
	return ACTION_DROP;
}

static __always_inline void count_stats(struct sl_stats *stats, const struct sl_packet *packet,
					enum sl_verdict verdict)
{
	if (verdict == SL_FORWARDED || verdict == SL_RESPONDED) {
		stats->packets++;
		stats->bytes += packet->length;
		stats->connections += packet->opened;
	} else if (verdict == SL_RETURNED || verdict == SL_PASS_UNRESOLVED) {
		stats->reply_packets++;
		stats->reply_bytes += packet->length;
	} else if (verdict_action(verdict) == ACTION_DROP) {
		stats->dropped_packets++;
		stats->dropped_bytes += packet->length;
	}
}

static __always_inline void count_verdict(const struct sl_packet *packet, enum sl_verdict verdict)
{
	__u32 index = verdict;
	struct sl_count *count = bpf_map_lookup_elem(&sl_verdicts, &index);

	if (!count)
		return;
	count->packets++;
	count->bytes += packet->length;
}

static __always_inline void count_service(const struct sl_packet *packet, enum sl_verdict verdict)
{
	__u32 index = packet->service ? packet->service->id : packet->reply->service;
	struct sl_stats *stats = bpf_map_lookup_elem(&sl_service_stat, &index);

	if (stats)
		count_stats(stats, packet, verdict);
}

static __always_inline void count_backend(const struct sl_packet *packet, enum sl_verdict verdict)
{
	__u32 index = packet->backend_index;
	struct sl_stats *stats = bpf_map_lookup_elem(&sl_backend_stat, &index);

	if (stats)
		count_stats(stats, packet, verdict);
}

static __always_inline void count_packet(const struct sl_packet *packet, enum sl_verdict verdict)
{
	count_verdict(packet, verdict);
	/* The most frequent, of which everything is known. */
	if (likely(verdict == SL_FORWARDED && packet->service)) {
		count_service(packet, SL_FORWARDED);
		count_backend(packet, SL_FORWARDED);
		return;
	}
	if (packet->service || packet->reply)
		count_service(packet, verdict);
	if (packet->backend)
		count_backend(packet, verdict);
}

static __always_inline int xdp_action(const struct sl_packet *packet, enum sl_verdict verdict)
{
	switch (verdict_action(verdict)) {
	case ACTION_PASS:
		return XDP_PASS;
	case ACTION_DROP:
		return XDP_DROP;
	case ACTION_FORWARD:
		return packet->action;
	}
	return XDP_ABORTED;
}

#endif
