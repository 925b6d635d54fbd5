/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * A source's address, cut to a prefix: what affinity and limits know a client by.
 */
#ifndef SLUICE_BPF_SOURCE_H
#define SLUICE_BPF_SOURCE_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"

/* The bits of a 64-bit half (in network order) that a prefix covers. */
static __always_inline __u64 prefix_half(__u32 bits)
{
	return bits >= 64 ? ~0ULL : bpf_cpu_to_be64(~(~0ULL >> (bits & 63)));
}

/* bits: of an address of the family. */
static __always_inline struct sl_source source_key(const struct sl_addr *source, __u32 family,
						   __u32 bits, __u32 id)
{
	struct sl_source key = {
		.addr = *source,
		.id = id,
		.family = family,
	};

	/* An IPv4 address is the last 32 bits of a mapped one. */
	if (family == SL_FAMILY_IPV4) {
		key.addr.halves[1] &= prefix_half(bits + 32);
		return key;
	}
	key.addr.halves[0] &= prefix_half(bits);
	key.addr.halves[1] &= bits > 64 ? prefix_half(bits - 64) : 0;
	return key;
}

#endif
