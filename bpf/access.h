/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage access: drops the packets of sources that may not use a service. The lists are
 * prefixes in one trie; of those that hold the source, the longest decides. The operator's
 * denials at run time come first, then the list of all services, then the service's own.
 */
#ifndef SLUICE_BPF_ACCESS_H
#define SLUICE_BPF_ACCESS_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/second.h"

/* The entry of a list that decides about an address; NULL: none does. */
static __always_inline const struct sl_access *access_find(const struct sl_addr *addr, __u32 family,
							   __u32 list)
{
	struct sl_prefix key = {
		.bits = SL_PREFIX_FIXED + 128,
		.list = list << 1 | (family == SL_FAMILY_IPV6),
		.addr = *addr,
	};

	return bpf_map_lookup_elem(&sl_prefixes, &key);
}

static __always_inline bool access_denies(const struct sl_packet *packet, __u32 list)
{
	const struct sl_access *access =
		access_find(&packet->source, packet->destination.family, list);

	return access && access->deny &&
	       (!access->expires || sl_second_difference(access->expires, coarse_seconds()) > 0);
}

static __always_inline enum sl_verdict check_access(const struct sl_packet *packet)
{
	__u32 lists = sl_tuning.access;

	if (likely(!lists && !packet->service->access))
		return SL_NEXT;
	if (lists & SL_TUNING_RUNTIME && access_denies(packet, SL_LIST_RUNTIME))
		return SL_DROP_DENIED;
	if (lists & SL_TUNING_ALL && access_denies(packet, SL_LIST_ALL))
		return SL_DROP_DENIED;
	if (packet->service->access && access_denies(packet, packet->service->access))
		return SL_DROP_DENIED;
	return SL_NEXT;
}

#endif
