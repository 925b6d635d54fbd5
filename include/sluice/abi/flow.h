/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tracked flow stays with its backend; an affinity keeps a client's new flows there, too.
 */
#ifndef SLUICE_SHARED_ABI_FLOW_H
#define SLUICE_SHARED_ABI_FLOW_H

#include <linux/types.h>

#include "sluice/abi/address.h"

/* A tracked flow. */
struct sl_flow_key {
	struct sl_addr source;
	__be16 port;
	__u16 pad;
	__u32 service; /* sl_service.id */
};
_Static_assert(sizeof(struct sl_flow_key) == 24, "sl_flow_key has no holes");

#define SL_FLOW_CLOSED 1 /* FIN or RST was seen: the flow is not counted as live any more */

struct sl_flow {
	__u32 backend; /* index into sl_backends */
	__u32 seen;    /* SL_SECONDs: the last packet */
	__u32 flags;   /* SL_FLOW_* */
	/* Rounds of the daemon's walk (the low bits of the word in sl_round) in which
	 * the flow came to this backend, and was closed.
	 */
	__u16 opened, closed;
};
_Static_assert(sizeof(struct sl_flow) == 16, "sl_flow has no holes");

/* The backend that a client, or a prefix of clients, is pinned to; the key is a struct
 * sl_source.
 */
struct sl_affinity {
	__u32 backend; /* index into sl_backends */
	__u32 expires; /* SL_SECONDs */
};

/* SL_SECONDs after its last packet in which a connection with the responder is still known.
 * The responder itself gives no connection as long.
 */
#define SL_RESPOND_SECONDS 60

#endif
