/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses stand in the maps beside their family; keys are made of both.
 */
#ifndef SLUICE_SHARED_ABI_ADDRESS_H
#define SLUICE_SHARED_ABI_ADDRESS_H

#include <linux/types.h>

#define SL_FAMILY_IPV4 4
#define SL_FAMILY_IPV6 6

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2);
 * bytes in network order. The family always stands beside it: a real IPv6
 * packet may carry a mapped address too, and must not match an IPv4 service.
 */
struct sl_addr {
	union {
		__u8 bytes[16];
		__be32 words[4];
		__u64 halves[2]; /* for comparing and hashing only */
	};
};

/* The endpoint by which a service is found, or a backend by its replies. */
struct sl_key {
	struct sl_addr addr;
	union {
		struct {
			__be16 port;
			__u8 proto;  /* IPPROTO_TCP or IPPROTO_UDP */
			__u8 family; /* SL_FAMILY_* */
		};
		__u32 word; /* the three, for comparing and hashing only */
	};
	__u32 pad; /* zero */
};
_Static_assert(sizeof(struct sl_key) == 24, "sl_key has no holes");

/* A client: the key of sl_affinities (id: sl_service.id) and of sl_buckets (id: sl_limit.id).
 */
struct sl_source {
	struct sl_addr addr; /* cut to a prefix; the bits behind it are 0 */
	__u32 id;
	__u32 family;
};
_Static_assert(sizeof(struct sl_source) == 24, "sl_source has no holes");

#endif
