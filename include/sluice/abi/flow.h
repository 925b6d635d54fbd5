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

/* sl_flow.flags. A flow with any of them is not counted as live. */
#define SL_FLOW_FIN     1 /* the client has sent a FIN: the connection has ended, or is half-closed */
#define SL_FLOW_RST     2 /* the client, or another sender with its address, has sent a RST */
#define SL_FLOW_OVER    4 /* the server has sent a RST, or a new connection has taken its place */
#define SL_FLOW_DOUBTED 8 /* TCP: one packet may be all that there is of the connection */
#define SL_FLOW_ENDED   (SL_FLOW_FIN | SL_FLOW_RST | SL_FLOW_OVER)

/* A connection of which only a SYN was seen is in sl_handshakes, and may be there beside the
 * entry that a connection before it has in sl_flows.
 */
struct sl_flow {
	__u32 backend; /* index into sl_backends */
	__u32 seen;    /* SL_SECONDs: the last packet */
	__u32 flags;   /* SL_FLOW_* */
	__u32 number;  /* TCP: the sequence number of the SYN, then of the FIN */
	/* Rounds of the daemon's walk (the lower half of the word in sl_round) in which the flow
	 * came to this backend, or was opened again; and in which it was closed.
	 */
	__u32 opened, closed;
	/* The backend that another flow under this key was live with when round
	 * `earlier_round` began, in which this one took its place.
	 */
	__u32 earlier, earlier_round;
};
_Static_assert(sizeof(struct sl_flow) == 32, "sl_flow has no holes");

/* In the word of sl_round: all handshakes have been looked at in this round. */
#define SL_ROUND_HANDSHAKES (1ULL << 32)

/* SL_SECONDs after its last SYN in which a connection is known of which nothing else was seen. */
#define SL_HANDSHAKE_SECONDS 56

/* The backend that a client, or a prefix of clients, is pinned to; the key is a struct
 * sl_source with an sl_service.affinity_id. Another service of the group goes to its own
 * backend of the same address, which sl_peers has: the key is a struct sl_source with the
 * whole address of the backend and an sl_service.id, the value is an index into sl_backends.
 */
struct sl_affinity {
	__u32 backend; /* index into sl_backends */
	__u32 expires; /* SL_SECONDs */
	__u32 service; /* sl_service.id of that backend's service */
	__u32 pad;
};
_Static_assert(sizeof(struct sl_affinity) == 16, "sl_affinity has no holes");

/* SL_SECONDs after its last packet in which a connection with the responder is still known.
 * The responder itself gives no connection as long.
 */
#define SL_RESPOND_SECONDS 60

#endif
