/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hashes that the program and the daemon must compute alike. Pure arithmetic,
 * compiled for BPF and natively. The mixer is the 64-bit finalizer of
 * MurmurHash3 (Austin Appleby, public domain): every input bit changes every
 * output bit with probability near one half.
 */
#ifndef SLUICE_SHARED_HASH_H
#define SLUICE_SHARED_HASH_H

#include "sluice/abi.h"

static inline __u64 sl_hash_mix(__u64 h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 33;
	return h;
}

/* The place in a directory where the probing for a key starts: the low bits of the result. An
 * operator chooses the keys, so one multiplication is enough (Knuth, The Art of Computer
 * Programming 3, section 6.4). The shift before it brings the last bytes of the address to
 * where they reach the bits that are used.
 */
static inline __u32 sl_hash_key(const struct sl_key *key)
{
	/* The upper half of an IPv4 address is 0. */
	__u64 h = key->addr.halves[1] ^ key->word ^ key->addr.halves[0] * 0xff51afd7ed558ccdULL;

	h ^= h >> 33;
	return (__u32)(h * 0x9e3779b97f4a7c15ULL >> 32);
}

/* A flow's place among the slots of a service: 32 evenly spread bits of the client's
 * address and port; with source_port 0, of the address alone. The service's own address,
 * port and protocol are not mixed in, as the table is its own. The family's low bits of
 * halves[1], where the port goes, are constant for IPv4.
 */
static inline __u32 sl_hash_flow(const struct sl_addr *source, __be16 source_port, __u32 family,
				 __u64 seed)
{
	__u64 h = sl_hash_mix(source->halves[1] ^ seed ^ source_port);

	if (family == SL_FAMILY_IPV6)
		h = sl_hash_mix(h ^ source->halves[0]);
	return (__u32)(h >> 32);
}

/* The hash of a flow as a scheduler wants it: of the flow, or of its source alone. */
static inline __u32 sl_hash_scheduled(enum sl_scheduler scheduler, const struct sl_addr *source,
				      __be16 source_port, __u32 family, __u64 seed)
{
	return sl_hash_flow(source, sl_scheduler_by_source(scheduler) ? 0 : source_port, family,
			    seed);
}

/* The hash of a source, which is its place in the gate; seed: random, and known to no sender.
 * The id and the family make up the low 32 bits that are mixed in, which are the same in all
 * IPv4 addresses: so no two keys of IPv4 are the same before the mixing.
 */
static inline __u64 sl_hash_source(const struct sl_source *key, __u64 seed)
{
	__u64 id = ((__u64)key->id << 3 | key->family) * 0x9e3779b97f4a7c15ULL;
	__u64 h = sl_hash_mix(key->addr.halves[1] ^ id ^ seed);

	if (key->family == SL_FAMILY_IPV6)
		h = sl_hash_mix(h ^ key->addr.halves[0]);
	return h;
}

/* A hash of 32 bits as an index below size, without a division. */
static inline __u32 sl_hash_scale(__u32 hash, __u32 size)
{
	return (__u32)((__u64)hash * size >> 32);
}

#endif
