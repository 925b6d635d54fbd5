/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The key of a source: its address, cut to a prefix. Limits and affinity know a client
 * by it. Pure arithmetic, compiled for BPF and natively.
 */
#ifndef SLUICE_SHARED_SOURCE_H
#define SLUICE_SHARED_SOURCE_H

#include "sluice/abi.h"
#include "sluice/inline.h"

/* The bits of a 64-bit half of an address (in network order) that a prefix covers. */
static inline __u64 sl_prefix_half(__u32 bits)
{
	__u64 covered = ~(~0ULL >> (bits & 63));

	if (bits >= 64)
		return ~0ULL;
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(covered) : covered;
}

/* bits: of an address of the family. */
static SL_ALWAYS_INLINE struct sl_source sl_source_key(const struct sl_addr *addr, __u32 family,
						       __u32 bits, __u32 id)
{
	struct sl_source key = {
		.addr = *addr,
		.id = id,
		.family = family,
	};

	/* An IPv4 address is the last 32 bits of a mapped one. */
	if (family == SL_FAMILY_IPV4) {
		key.addr.halves[1] &= sl_prefix_half(bits + 32);
		return key;
	}
	key.addr.halves[0] &= sl_prefix_half(bits);
	key.addr.halves[1] &= bits > 64 ? sl_prefix_half(bits - 64) : 0;
	return key;
}

/* A limit's source. id: limit->id for its bucket, limit->number for its place in the gate. */
static SL_ALWAYS_INLINE struct sl_source
sl_limit_source(const struct sl_limit *limit, const struct sl_addr *addr, __u32 family, __u32 id)
{
	__u32 bits = family == SL_FAMILY_IPV6 ? limit->prefix_v6 : limit->prefix_v4;

	return sl_source_key(addr, family, bits, id);
}

#endif
