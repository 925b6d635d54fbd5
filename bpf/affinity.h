/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Affinity: new connections of a client go where its last ones went, as long as
 * that backend takes new ones and the client came back in time.
 */
#ifndef SLUICE_AFFINITY_H
#define SLUICE_AFFINITY_H

#include <bpf/bpf_endian.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

/* The bits of a 64-bit half (in network order) that a prefix covers. */
static __always_inline __u64 prefix_half(__u32 bits)
{
	return bits >= 64 ? ~0ULL : bpf_cpu_to_be64(~(~0ULL >> (bits & 63)));
}

static __always_inline struct sl_source affinity_key(const struct sl_packet *packet)
{
	__u32 bits = packet->service->affinity_prefix;
	struct sl_source key = {
		.addr = packet->source,
		.service = packet->service->id,
		.family = packet->destination.family,
	};

	/* An IPv4 address is the last 32 bits of a mapped one. */
	if (key.family == SL_FAMILY_IPV4)
		bits += 96;
	key.addr.halves[0] &= prefix_half(bits);
	key.addr.halves[1] &= bits > 64 ? prefix_half(bits - 64) : 0;
	return key;
}

/* The client's backend, or SL_NO_BACKEND. */
static __always_inline __u32 affinity_find(const struct sl_source *key, __u32 now)
{
	struct sl_affinity *affinity = bpf_map_lookup_elem(&sl_affinities, key);

	if (!affinity || (__s32)(affinity->expires - now) < 0)
		return SL_NO_BACKEND;
	return affinity->backend;
}

static __always_inline void affinity_set(const struct sl_service *service,
					 const struct sl_source *key, __u32 backend, __u32 now)
{
	struct sl_affinity affinity = {
		.backend = backend,
		.expires = now + service->affinity_timeout,
	};

	bpf_map_update_elem(&sl_affinities, key, &affinity, BPF_ANY);
}

#endif
