/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage count: raises the counters of a verdict, and converts it to the XDP action.
 */
#ifndef SLUICE_BPF_COUNT_H
#define SLUICE_BPF_COUNT_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/verdict.h"

enum verdict_action { ACTION_PASS, ACTION_DROP, ACTION_FORWARD };

/* The counters of struct sl_stats that a verdict's packets raise. */
enum verdict_counted {
	COUNTED_NONE,
	COUNTED_SENT,
	COUNTED_REPLY,
	COUNTED_REFUSED,
	COUNTED_DROPPED,
};

static __always_inline enum verdict_action verdict_action(enum sl_verdict verdict)
{
#define CASE(name, action, counted, text) \
	case SL_##name:                   \
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

/* Whether the kernel gets the packet. */
static __always_inline bool verdict_passes(enum sl_verdict verdict)
{
	return verdict_action(verdict) == ACTION_PASS;
}

static __always_inline enum verdict_counted verdict_counted(enum sl_verdict verdict)
{
#define CASE(name, action, counted, text) \
	case SL_##name:                   \
		return COUNTED_##counted;
	switch (verdict) {
		SL_VERDICTS(CASE)
	case SL_NEXT:
	case SL_VERDICT_COUNT:
		break;
	}
#undef CASE
	return COUNTED_NONE;
}

static __always_inline void count_stats(struct sl_stats *stats, const struct sl_packet *packet,
					enum sl_verdict verdict)
{
	switch (verdict_counted(verdict)) {
	case COUNTED_NONE:
		break;
	case COUNTED_SENT:
		stats->packets++;
		stats->bytes += packet->length;
		stats->connections += packet->opened;
		break;
	case COUNTED_REPLY:
		stats->reply_packets++;
		stats->reply_bytes += packet->length;
		break;
	case COUNTED_REFUSED:
		stats->refused_packets++;
		break;
	case COUNTED_DROPPED:
		stats->dropped_packets++;
		stats->dropped_bytes += packet->length;
		break;
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

static __always_inline void count_service(const struct sl_packet *packet, __u32 id,
					  enum sl_verdict verdict)
{
	struct sl_stats *stats = bpf_map_lookup_elem(&sl_service_stat, &id);

	if (stats)
		count_stats(stats, packet, verdict);
}

static __always_inline void count_backend(const struct sl_packet *packet, enum sl_verdict verdict)
{
	struct sl_stats *stats = bpf_map_lookup_elem(&sl_backend_stat, &packet->backend_index);

	if (stats)
		count_stats(stats, packet, verdict);
}

/* Counts for the service of that id, and for the packet's backend. The frequent verdict,
 * which implies a backend, is a constant to the compiler: no questions are left of it.
 */
static __always_inline void count_both(const struct sl_packet *packet, __u32 id,
				       enum sl_verdict verdict, const enum sl_verdict frequent)
{
	if (likely(verdict == frequent)) {
		count_service(packet, id, frequent);
		count_backend(packet, frequent);
		return;
	}
	count_service(packet, id, verdict);
	if (packet->backend)
		count_backend(packet, verdict);
}

/* Counts the packet for its verdict, its service and its backend. */
static __always_inline void count_packet(const struct sl_packet *packet, enum sl_verdict verdict)
{
	count_verdict(packet, verdict);
	if (packet->service)
		count_both(packet, packet->service->id, verdict, SL_FORWARDED);
	else if (packet->reply)
		count_both(packet, packet->reply->service, verdict, SL_RETURNED);
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
