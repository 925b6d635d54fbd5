/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage select: the flow's slot in the service's Maglev table names the backend
 * (Eisenbud et al., "Maglev", NSDI 2016). No flow is looked up.
 */
#ifndef SLUICE_SELECT_H
#define SLUICE_SELECT_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/hash.h"

static __always_inline enum sl_verdict select_backend(struct sl_packet *packet)
{
	const struct sl_service *service = packet->service;
	__u32 hash = sl_hash_flow(&packet->source, packet->source_port, &packet->destination,
				  sl_settings.hash_seed);
	__u32 position = service->table + sl_hash_scale(hash, service->table_size);
	__u64 *slot = bpf_map_lookup_elem(&sl_slots, &position);

	if (!slot)
		return SL_DROP_INTERNAL;
	packet->backend_index = (__u32)*slot;
	if (packet->backend_index == SL_NO_BACKEND)
		return SL_DROP_NO_BACKEND;
	packet->backend = bpf_map_lookup_elem(&sl_backends, &packet->backend_index);
	return packet->backend ? SL_NEXT : SL_DROP_INTERNAL;
}

#endif
