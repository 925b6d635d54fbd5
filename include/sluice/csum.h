/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Internet checksum, updated for the words that change (RFC 1624, equation 3: HC' = ~(~HC
 * + ~m + m')). A delta is the sum of ~m + m' over the changed words, not yet folded; it is the
 * same for every checksum that covers them. Byte order does not matter (RFC 1071 section 2(B))
 * as long as all words come from memory alike. Pure arithmetic, compiled for BPF and natively.
 */
#ifndef SLUICE_SHARED_CSUM_H
#define SLUICE_SHARED_CSUM_H

#include "sluice/abi.h"

static inline __u64 sl_csum_delta16(__u16 old, __u16 new)
{
	return (__u16)~old + (__u64) new;
}

static inline __u64 sl_csum_delta32(__u32 old, __u32 new)
{
	return (__u32)~old + (__u64) new;
}

/* All 16 bytes; each word that is equal in both adds 0xffff, which is a zero here. */
static inline __u64 sl_csum_delta_addr(const struct sl_addr *old, const struct sl_addr *new)
{
	return sl_csum_delta32(old->words[0], new->words[0]) +
	       sl_csum_delta32(old->words[1], new->words[1]) +
	       sl_csum_delta32(old->words[2], new->words[2]) +
	       sl_csum_delta32(old->words[3], new->words[3]);
}

/* The checksum after the change. delta: less than 2^47, which some thousand deltas added up are. */
static inline __u16 sl_csum_apply(__u16 csum, __u64 delta)
{
	__u64 sum = (__u16)~csum + delta;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

#endif
