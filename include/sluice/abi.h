/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The contract between the XDP program and the daemon: the layout of the maps' values. Both
 * sides compile these files; nothing is copied by hand. Beside its own headers it includes
 * linux/types.h alone, so that it compiles for BPF and natively. An SL_SECOND is a second of
 * sluice/second.h.
 *
 * A change becomes visible to packets without a lock: an entry that is wider than a word is
 * written to an index that no packet can reach yet, then one aligned word that leads to it is
 * stored. An index that packets could reach is written again only after a grace period (see
 * datapath.h).
 */
#ifndef SLUICE_SHARED_ABI_H
#define SLUICE_SHARED_ABI_H

#include <linux/types.h>

#include "sluice/abi/access.h"
#include "sluice/abi/address.h"
#include "sluice/abi/backend.h"
#include "sluice/abi/direct.h"
#include "sluice/abi/flow.h"
#include "sluice/abi/limit.h"
#include "sluice/abi/service.h"
#include "sluice/abi/unsent.h"

/* Version of everything in this file and in sluice/abi/. The daemon reads it from the map
 * .rodata.abi of a program that it finds on an interface before it trusts anything else of
 * that program.
 */
#define SL_ABI 5

/* Sizes of the maps in the object file, which hold where `ip link` attaches it. The daemon
 * sizes the maps by its configuration before it loads the program.
 */
#define SL_DEFAULT_DIRECTORY        4096 /* words; a power of two */
#define SL_DEFAULT_SERVICES         2048 /* entries, twice the services */
#define SL_DEFAULT_SLOTS            (1 << 21)
#define SL_DEFAULT_BACKENDS         16384
#define SL_DEFAULT_RETURN_DIRECTORY 65536 /* words; a power of two */
#define SL_DEFAULT_DEVICES          4096
#define SL_DEFAULT_STATIONS         16384 /* memory is taken as they come, as for addresses */
#define SL_DEFAULT_ADDRESSES        16384
#define SL_DEFAULT_BUCKETS          (1 << 17) /* of limits, in the LRU map */
#define SL_DEFAULT_GATE             (1 << 13) /* lines; a power of two */
#define SL_DEFAULT_LIMITS           4096
#define SL_DEFAULT_PREFIXES         (1 << 22) /* memory is taken as they come */
#define SL_DEFAULT_EVENTS           (1 << 17) /* bytes of the ring */
#define SL_DEFAULT_UNSENT           (1 << 20) /* bytes of the ring: 115 of the longest packets */
#define SL_DEFAULT_HOPS_USED        4096
#define SL_DEFAULT_HANDOVERS        1024
#define SL_DEFAULT_PORTS            4096
#define SL_DEFAULT_FLOWS            (1 << 19)
#define SL_DEFAULT_HANDSHAKES       (1 << 16)
#define SL_DEFAULT_AFFINITIES       (1 << 16)
#define SL_DEFAULT_DIRECT           (1 << 14) /* entries, of each of two maps */

/* Default seed of the hash that picks a slot: machines that share traffic must
 * share it, so it is a constant and not random.
 */
#define SL_DEFAULT_HASH_SEED 0x736c756963653031ULL

/* Constants of a loaded program, in its map .rodata.config. */
struct sl_settings {
	__u32 directory_mask; /* words of sl_directory, less one */
	__u32 return_mask;    /* words of sl_return_dir, less one */
	__u64 hash_seed;
	__u32 gate_mask; /* lines of sl_gate, less one */
	__u32 pad;
};
_Static_assert(sizeof(struct sl_settings) == 24, "sl_settings has no holes");

/* The end of packets to a service's address that are for no service. */
enum sl_unserved { SL_UNSERVED_DROP, SL_UNSERVED_REJECT, SL_UNSERVED_PASS };

/* Values that the daemon changes while packets run; the map .data.tuning, a section of its
 * own. The rates are each CPU's; a unit is one packet.
 */
struct sl_tuning {
	__u64 gate_seed;         /* random, so that no sender can aim at another's cell */
	struct sl_rate inserts;  /* new buckets */
	struct sl_rate refusals; /* refusals sent back, connections given to the responder */
	struct sl_rate events;   /* to sl_events; and as many next hops in use to sl_unsent */
	struct sl_rate unsent;   /* packets to sl_unsent */
	__u32 access;            /* SL_TUNING_* */
	__u32 jiffy_ns;          /* one tick of the kernel's: the gate's clock */
	/* ipip: the outer source is a prefix, and bits of the flow's hash where `varies` has
	 * ones; of an IPv6 address, in its last 32 bits.
	 */
	struct sl_addr outer_v6;
	__be32 outer_v6_varies;
	__be32 outer_v4;
	__be32 outer_v4_varies;
	/* Raised whenever routes, neighbours or devices have changed: see sl_route. */
	__u32 route_generation;
	/* SL_SECONDs without a packet after which a connection with a backend itself is
	 * forgotten (sl_direct).
	 */
	__u32 direct_tcp, direct_udp;
	__u32 unserved; /* enum sl_unserved */
	__u32 tcp_idle; /* SL_SECONDs without a packet after which a connection has ended */
	/* The last SL_SECOND in which any slot is fresh. No daemon need be there to clear the
	 * marks.
	 */
	__u32 fresh_until;
	/* TCP, the same for services that track every flow. */
	__u32 tracked_idle;
	/* The highest sl_limit.id that was ever given: buckets of limits that are gone bear theirs. The
	 * program does not read it.
	 */
	__u32 limit_id;
	__u32 pad;
};
_Static_assert(sizeof(struct sl_tuning) == 144, "sl_tuning has no holes");

/* Defaults: 172.16.0.0/16, and the discard prefix of RFC 6666, 100::/64. */
#define SL_DEFAULT_OUTER_V4      0xac100000U
#define SL_DEFAULT_OUTER_V4_BITS 16
#define SL_DEFAULT_OUTER_V6      0x01000000U /* the first 32 bits; the others are 0 */
#define SL_DEFAULT_OUTER_V6_BITS 64

/* sl_tuning.access: lists for all services that have something in them. */
#define SL_TUNING_ALL     1 /* SL_LIST_ALL */
#define SL_TUNING_RUNTIME 2 /* SL_LIST_RUNTIME */

struct sl_count {
	__u64 packets;
	__u64 bytes;
};

#endif
