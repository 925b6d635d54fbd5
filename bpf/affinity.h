/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Affinity sends new connections of a client where its last ones went, as long as that
 * backend takes new ones and the client came back in time.
 */
#ifndef SLUICE_BPF_AFFINITY_H
#define SLUICE_BPF_AFFINITY_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/second.h"
#include "sluice/source.h"

static __always_inline struct sl_source affinity_key(const struct sl_packet *packet)
{
	return sl_source_key(&packet->source, packet->destination.family,
			     packet->service->affinity_prefix, packet->service->affinity_id);
}

/* The service's own backend with the address of one that another service has; SL_NO_BACKEND:
 * there is none.
 */
static __always_inline __u32 affinity_peer(const struct sl_service *service, __u32 pinned)
{
	const struct sl_backend *backend = bpf_map_lookup_elem(&sl_backends, &pinned);
	struct sl_source key = { .id = service->id };
	__u32 *peer;

	if (!backend)
		return SL_NO_BACKEND;
	key.addr = backend->addr;
	key.family = backend->family;
	peer = bpf_map_lookup_elem(&sl_peers, &key);
	return peer ? *peer : SL_NO_BACKEND;
}

/* The client's backend, or SL_NO_BACKEND. */
static __always_inline __u32 affinity_find(const struct sl_service *service,
					   const struct sl_source *key, __u32 now)
{
	struct sl_affinity *affinity = bpf_map_lookup_elem(&sl_affinities, key);

	if (!affinity || sl_second_difference(affinity->expires, now) < 0)
		return SL_NO_BACKEND;
	if (affinity->service != service->id)
		return affinity_peer(service, affinity->backend);
	return affinity->backend;
}

static __always_inline void affinity_set(const struct sl_service *service,
					 const struct sl_source *key, __u32 backend, __u32 now)
{
	struct sl_affinity affinity = {
		.backend = backend,
		.expires = now + service->affinity_timeout,
		.service = service->id,
	};

	bpf_map_update_elem(&sl_affinities, key, &affinity, BPF_ANY);
}

#endif
