/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of prefixes allow, deny or exempt sources.
 */
#ifndef SLUICE_SHARED_ABI_ACCESS_H
#define SLUICE_SHARED_ABI_ACCESS_H

#include <linux/types.h>

#include "sluice/abi/address.h"

/* The key of sl_prefixes, a trie. The list and the family stand before the address and are
 * matched whole.
 */
struct sl_prefix {
	__u32 bits; /* SL_PREFIX_FIXED, and the prefix's: an IPv4 address has 96 before its own */
	__u32 list; /* SL_LIST_*, shifted left by one; the low bit: IPv6 */
	struct sl_addr addr;
};
_Static_assert(sizeof(struct sl_prefix) == 24, "sl_prefix has no holes");

#define SL_PREFIX_FIXED 32

/* Numbers of lists of prefixes. 0 is no list. */
#define SL_LIST_ALL     1           /* of all services, from the configuration */
#define SL_LIST_RUNTIME 2           /* of all services, `sluicectl deny` */
#define SL_LIST_SERVICE 16          /* from here on: lists of one service */
#define SL_LIST_EXEMPT  0x40000000U /* and a limit's number: sources that it does not bind */

struct sl_access {
	__u32 deny;    /* 1, or 0: allow */
	__u32 expires; /* SL_SECONDs; 0: never */
};
_Static_assert(sizeof(struct sl_access) == 8, "sl_access has no holes");

#endif
