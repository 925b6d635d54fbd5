/* SPDX-License-Identifier: BSD-2-Clause
 *
 * nat: what a backend sends from its service's port is a reply, and gets the service's address.
 * The exception is tracked here: packets that are exchanged with the backend itself.
 */
#ifndef SLUICE_SHARED_ABI_DIRECT_H
#define SLUICE_SHARED_ABI_DIRECT_H

#include <linux/types.h>

#include "sluice/abi/address.h"

/* Both ends of a connection; the key of sl_direct_flows and sl_direct_asked. */
struct sl_direct_key {
	struct sl_key backend; /* its own address, port, protocol */
	struct sl_addr peer;
	__be16 port; /* of the peer */
	__u16 pad;
	/* sl_direct_asked, TCP: the sequence number behind the peer's packet, which the backend
	 * acknowledges when it answers that packet. Else 0.
	 */
	__u32 number;
};
_Static_assert(sizeof(struct sl_direct_key) == 48, "sl_direct_key has no holes");

/* sl_direct.state */
#define SL_DIRECT_OPENS  1 /* TCP: the peer's packet was a SYN: it acknowledges nothing yet */
#define SL_DIRECT_SERVED 2 /* UDP: the peer has used the service lately: it is answered by it */

struct sl_direct {
	__u32 until;        /* SL_SECONDs; then the entry holds no longer */
	__u32 acknowledged; /* sl_direct_asked, TCP: by the peer's packet */
	__u32 state;        /* SL_DIRECT_* */
	__u32 pad;
};
_Static_assert(sizeof(struct sl_direct) == 16, "sl_direct has no holes");

/* SL_SECONDs in which a backend answers a packet: its last SYN-ACK comes after 31 s. */
#define SL_DIRECT_ASKED_SECONDS 60

/* Words of sl_direct_peers. */
#define SL_DIRECT_PEER_BITS 13
#define SL_DIRECT_PEERS     (1 << SL_DIRECT_PEER_BITS)

#endif
