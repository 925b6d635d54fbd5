/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The contract between the XDP program and the daemon: what the maps hold.
 * Both sides compile this file; nothing is copied by hand. Beside its own
 * headers it includes linux/types.h alone, so that it compiles for BPF and natively.
 * An SL_SECOND is a second of sluice/second.h.
 *
 * How a change becomes visible to packets (there is no lock): an entry that is
 * wider than a word is written to an index that no packet can reach yet, then
 * one aligned word that leads to it is stored. An index that packets could
 * reach is written again only after a grace period (see datapath.h).
 */
#ifndef SLUICE_SHARED_ABI_H
#define SLUICE_SHARED_ABI_H

#include <linux/types.h>

#include "sluice/algorithm.h"
#include "sluice/forwarding.h"
#include "sluice/scheduler.h"

/* Version of everything in this file. It is read from the map .rodata.abi of a
 * program found on an interface before anything else of it is believed.
 */
#define SL_ABI 4

/* Sizes that the object file has when nobody sets others (attached by `ip
 * link`). The daemon sizes the maps by its configuration before it loads.
 */
#define SL_DEFAULT_DIRECTORY        4096 /* words; a power of two */
#define SL_DEFAULT_SERVICES         2048 /* entries, twice the services */
#define SL_DEFAULT_SLOTS            (1 << 21)
#define SL_DEFAULT_BACKENDS         16384
#define SL_DEFAULT_RETURN_DIRECTORY 65536 /* words; a power of two */
#define SL_DEFAULT_DEVICES          4096
#define SL_DEFAULT_BUCKETS          (1 << 17) /* of limits, in the LRU map */
#define SL_DEFAULT_GATE             (1 << 13) /* lines; a power of two */
#define SL_DEFAULT_LIMITS           4096
#define SL_DEFAULT_PREFIXES         (1 << 20) /* memory is taken as they come */
#define SL_DEFAULT_EVENTS           (1 << 17) /* bytes of the ring */
#define SL_DEFAULT_FLOWS            (1 << 19)
#define SL_DEFAULT_HANDSHAKES       (1 << 16)
#define SL_DEFAULT_AFFINITIES       (1 << 16)

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

/* What a service, or a backend's replies, are found by. */
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

/* Directory: open addressing, linear probing. A word (64 bits) of the map
 * sl_directory (or sl_return_dir) is an index into sl_services (sl_returns), or one of
 * these two. Index 0 is never used. The writer keeps every key within
 * SL_DIRECTORY_PROBES words of where its hash points.
 */
#define SL_DIRECTORY_EMPTY   0
#define SL_DIRECTORY_REMOVED 0xffffffffU /* probing goes on */
#define SL_DIRECTORY_PROBES  16

/* A rate as GCRA wants it (include/sluice/gcra.h); ticks of 1/256 ns. */
struct sl_rate {
	__u64 interval; /* ticks per unit; 0: none may pass */
	__u64 depth;    /* ticks that a full bucket holds: burst * interval */
};

/* What can be changed while packets run; the map .data.tuning, a section of its
 * own. The rates are each CPU's; a unit is one packet.
 */
struct sl_tuning {
	__u64 gate_seed;         /* random, so that nobody can aim at another's cell */
	struct sl_rate inserts;  /* new buckets */
	struct sl_rate refusals; /* refusals sent back, connections given to the responder */
	struct sl_rate events;   /* to sl_events */
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
};
_Static_assert(sizeof(struct sl_tuning) == 96, "sl_tuning has no holes");

/* Defaults: 172.16.0.0/16, and the discard prefix of RFC 6666, 100::/64. */
#define SL_DEFAULT_OUTER_V4      0xac100000U
#define SL_DEFAULT_OUTER_V4_BITS 16
#define SL_DEFAULT_OUTER_V6      0x01000000U /* the first 32 bits; the others are 0 */
#define SL_DEFAULT_OUTER_V6_BITS 64

/* sl_tuning.access: lists for all services that have something in them. */
#define SL_TUNING_ALL     1 /* SL_LIST_ALL */
#define SL_TUNING_RUNTIME 2 /* SL_LIST_RUNTIME */

/* sl_service.flags */
#define SL_SERVICE_TRACKED 1 /* every flow is in the flow table, whatever its slot */
#define SL_SERVICE_REJECT  2 /* no backend can serve: answer instead of dropping */

/* So many replaced tables, one behind the other, are gone by. */
#define SL_REPLACED_MAX 4

/* A service; one cache line. Immutable once the directory leads to it. */
struct sl_service {
	struct sl_key key;
	__u32 id;    /* index into sl_service_stat and sl_cursors, part of the keys of buckets and
		   * flows; outlives the entry
		   */
	__u32 table; /* first slot in sl_slots */
	__u32 table_size;     /* slots; 0 never; a prime where they are hashed to */
	__u8 scheduler;       /* enum sl_scheduler */
	__u8 flags;           /* SL_SERVICE_* */
	__u8 affinity_prefix; /* bits of a client's address that are pinned as one */
	__u8 n_limits;        /* 0 to SL_LIMITS_MAX */
	__u32 limits;         /* the first one in sl_limits; the others follow it */
	__u32 access;         /* SL_LIST_*, the service's own; 0: has none */
	__u32 responder;      /* index into sl_backends; SL_NO_BACKEND: has none */
	__u32 pad;
	__u32 affinity_timeout; /* SL_SECONDs; 0: no affinity */
	/* Index of the entry that this one has replaced (SL_REPLACED_MAX), another table or another
	 * scheduler, while older connections may still go by it; 0: none.
	 */
	__u32 replaced;
};
_Static_assert(sizeof(struct sl_service) == 64, "a service is one cache line");

/* Index of no backend: none can serve. */
#define SL_NO_BACKEND 0

/* Where a packet leaves: written whole, never in place while in use. */
struct sl_hop {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 ifindex; /* the device that carries the frame; never a VLAN device */
	__be16 vlan;   /* VLAN id on that device, 0: untagged */
	__u16 mtu;     /* of the way: the longest IP packet */
};
_Static_assert(sizeof(struct sl_hop) == 20, "sl_hop has no holes");

/* A device that frames can be sent to, by the ifindex that routes name; in
 * sl_devices. A VLAN device's are its parent and its id.
 */
struct sl_device {
	__u32 ifindex;
	__be16 vlan; /* 0: untagged */
	__u16 pad;
};
_Static_assert(sizeof(struct sl_device) == 8, "sl_device has no holes");

/* sl_backend.state */
#define SL_BACKEND_HOP       1 /* which of hops[] is in use */
#define SL_BACKEND_SERVES    2 /* its established connections go on */
#define SL_BACKEND_NEW       4 /* it takes new ones */
#define SL_BACKEND_RESPONDER 8 /* it is sluice's own, and answers that nobody serves */

/* A backend of one service; one cache line. Everything but state and hops is
 * immutable once a slot leads to it; the hop changes by writing the copy not in
 * use, then `state`.
 */
struct sl_backend {
	struct sl_addr addr;
	__be16 port;
	__u8 family;
	__u8 forward; /* enum sl_forward */
	__u32 state;  /* SL_BACKEND_* */
	struct sl_hop hops[2];
};
_Static_assert(sizeof(struct sl_backend) == 64, "a backend is one cache line");

/* nat: what a backend replies from, and which service it is then shown as. */
struct sl_return {
	struct sl_key key;   /* the backend's address, port, protocol */
	struct sl_addr addr; /* the service's */
	__be16 port;
	__u16 pad;
	__u32 backend; /* index into sl_backends and sl_backend_stat */
	__u32 service; /* index into sl_service_stat */
	__u32 pad2;
	__u64 pad3;
};
_Static_assert(sizeof(struct sl_return) == 64, "a return is one cache line");

/* nat: the route cache. An entry is the result of the last bpf_fib_lookup() for a client.
 * Each CPU has a table of its own, mapped directly: clients share lines, and a line may
 * hold the route of another client, or none. A route holds as long as the generation is
 * the same, and for a second where no daemon raises it.
 */
struct sl_route {
	struct sl_addr client;
	struct sl_hop hop;
	__u32 ingress;    /* the device that the reply came by */
	__u32 service;    /* sl_return.service: who sends it */
	__u32 generation; /* sl_tuning.route_generation, when the kernel was asked */
	__u64 until;      /* ticks of the gate's clock; 0: the line is empty */
	__u32 family;
	__u32 pad;
};
_Static_assert(sizeof(struct sl_route) == 64, "a route is one cache line");

#define SL_ROUTE_BITS 12
#define SL_ROUTES     (1 << SL_ROUTE_BITS)

/* What a backend has to do; in sl_loads, by the backend's index. */
struct sl_load {
	__u32 live;   /* connections; the program counts, the daemon's walk corrects */
	__u32 weight; /* 1 or more */
};
_Static_assert(sizeof(struct sl_load) == 8, "a load is one word");

/* A tracked flow. */
struct sl_flow_key {
	struct sl_addr source;
	__be16 port;
	__u16 pad;
	__u32 service; /* sl_service.id */
};
_Static_assert(sizeof(struct sl_flow_key) == 24, "sl_flow_key has no holes");

#define SL_FLOW_CLOSED 1 /* FIN or RST was seen: not counted as live any more */

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

/* A client, as one of many: the key of sl_affinities (id: sl_service.id) and of
 * sl_buckets (id: sl_limit.id).
 */
struct sl_source {
	struct sl_addr addr; /* of its prefix; the other bits are 0 */
	__u32 id;
	__u32 family;
};
_Static_assert(sizeof(struct sl_source) == 24, "sl_source has no holes");

/* A client's (or prefix's) backend; the key is a struct sl_source. */
struct sl_affinity {
	__u32 backend; /* index into sl_backends */
	__u32 expires; /* SL_SECONDs */
};

/* ---- limits ---------------------------------------------------------------- */

enum sl_limit_count { SL_COUNT_PACKETS, SL_COUNT_BYTES, SL_COUNT_CONNECTIONS };
enum sl_limit_action { SL_ACTION_DROP, SL_ACTION_REJECT, SL_ACTION_RESPOND };

/* sl_limit.flags */
#define SL_LIMIT_DRY_RUN          1 /* counts, and refuses nobody */
#define SL_LIMIT_PER_SERVICE      2 /* one bucket for all sources, in sl_totals */
#define SL_LIMIT_EXEMPT           4 /* its list SL_LIST_EXEMPT has something in it */
#define SL_LIMIT_PRESSURE_REFUSES 8 /* under pressure: refuses whom it has no bucket for */

/* Of one service. */
#define SL_LIMITS_MAX 4

/* A limit; one cache line. Immutable once a service leads to it: a changed one
 * is another, which knows the one that it replaces.
 */
struct sl_limit {
	/* token-bucket: its rate. The windows: interval is a window's length in ticks,
	 * depth the units that it admits.
	 */
	struct sl_rate rate;
	__u64 gate_depth;     /* ticks that the gate admits ahead; a share of depth */
	__u64 gate_cap;       /* ticks beyond which the gate is not charged any more */
	__u32 id;             /* part of its buckets' keys: the generation */
	__u32 number;         /* of the limit through all generations: index into sl_limit_stat */
	__u32 replaced;       /* id of the generation before; 0: none */
	__u32 replaced_until; /* SL_SECONDs: from then on nobody owes it anything */
	__u64 replaced_interval; /* its ticks per unit, at least 1 */
	__u8 shift;              /* rate.interval is in units of 2^-shift ticks */
	__u8 count;              /* enum sl_limit_count: the unit */
	__u8 algorithm;          /* enum sl_limit_algorithm */
	__u8 action;             /* enum sl_limit_action */
	__u8 flags;              /* SL_LIMIT_* */
	__u8 prefix_v4;          /* bits of a source's address that share a bucket: 1 to 32 */
	__u8 prefix_v6;          /* 1 to 128 */
	__u8 pad;
};
_Static_assert(sizeof(struct sl_limit) == 64, "a limit is one cache line");

/* A sliding window is counted in so many parts. */
#define SL_WINDOW_PARTS 8

/* What one source has sent; in sl_buckets, and (per: service) in sl_totals by
 * the limit's index. The program writes.
 */
struct sl_bucket {
	__u64 refused; /* packets, since `over` */
	__u32 over;    /* SL_SECOND of the first refusal; 0: none yet */
	__u32 last;    /* SL_SECOND of the last refusal */
	/* token-bucket: state[0], the theoretical arrival time. Windows: see
	 * include/sluice/window.h.
	 */
	__u64 state[SL_WINDOW_PARTS + 1];
};
_Static_assert(sizeof(struct sl_bucket) == 88, "sl_bucket has no holes");

/* A source that was not refused for so long is back within its limit; its next
 * refusal begins to count anew.
 */
#define SL_LIMIT_CALM 10 /* SL_SECONDs */

/* SL_SECONDs after its last packet in which a connection with the responder is still
 * known. The responder itself gives none so long.
 */
#define SL_RESPOND_SECONDS 60

/* The gate: cells that sources share, each a theoretical arrival time. The tag of a
 * source that has a cell of the line is there (0: none) when its bucket was found
 * lately: while no more buckets may be made, nobody else's is looked for.
 */
#define SL_GATE_CELLS 6
#define SL_GATE_TAGS  8
struct sl_gate_line {
	__u64 cells[SL_GATE_CELLS];
	union {
		__u16 tags[SL_GATE_TAGS];
		__u64 tag_words[2];
	};
};
_Static_assert(sizeof(struct sl_gate_line) == 64, "a line of the gate is one cache line");

/* Of a limit, by its number; per CPU, one cache line. In packets. */
struct sl_limit_stats {
	__u64 gate;     /* admitted by the gate */
	__u64 bucket;   /* admitted by a bucket */
	__u64 pressure; /* too many new buckets: decided as under_pressure says */
	__u64 exempt;   /* over, but exempt */
	__u64 refused;  /* over the limit; with dry_run: would have been refused */
	__u64 answered; /* of those: rejected, or given to the responder */
	__u64 inserted; /* buckets made */
	__u64 unheard;  /* events for which there was no room */
};
_Static_assert(sizeof(struct sl_limit_stats) == 64, "counters are one cache line");

/* A CPU's own. */
struct sl_pace {
	/* Theoretical arrival times of what it may do only so often (sl_tuning). */
	__u64 inserts, refusals, events;
	struct sl_bucket fresh; /* one that is being made: too large for the program's stack */
};

/* What happened, to sl_events. */
struct sl_event {
	struct sl_source source; /* over its limit from now on; id: sl_limit.id */
	__u32 limit;             /* index into sl_limits */
	__u32 service;           /* sl_service.id */
};
_Static_assert(sizeof(struct sl_event) == 32, "sl_event has no holes");

/* ---- access ---------------------------------------------------------------- */

/* Key of sl_prefixes, a trie. The list and the family stand before the address
 * and are matched whole.
 */
struct sl_prefix {
	__u32 bits; /* SL_PREFIX_FIXED, and the prefix's: an IPv4 address has 96 before its own */
	__u32 list; /* SL_LIST_*, shifted left by one; the low bit: IPv6 */
	struct sl_addr addr;
};
_Static_assert(sizeof(struct sl_prefix) == 24, "sl_prefix has no holes");

#define SL_PREFIX_FIXED 32

/* Lists of prefixes. 0 is none. */
#define SL_LIST_ALL     1           /* of all services, from the configuration */
#define SL_LIST_RUNTIME 2           /* of all services, `sluicectl deny` */
#define SL_LIST_SERVICE 16          /* from here on: of services */
#define SL_LIST_EXEMPT  0x40000000U /* and a limit's number: whom it does not bind */

struct sl_access {
	__u32 deny;    /* 1, or 0: allow */
	__u32 expires; /* SL_SECONDs; 0: never */
};
_Static_assert(sizeof(struct sl_access) == 8, "sl_access has no holes");

/* Counters of a service or a backend; per CPU, one cache line. */
struct sl_stats {
	__u64 packets;         /* from clients, forwarded */
	__u64 bytes;           /* of whole frames, as they arrived */
	__u64 connections;     /* TCP SYNs forwarded; UDP has no such mark */
	__u64 dropped_packets; /* of a backend: those that could not be sent to it */
	__u64 dropped_bytes;
	__u64 reply_packets; /* nat: from backends, forwarded to clients */
	__u64 reply_bytes;
	__u64 refused_packets; /* answered with a reset or an ICMP message */
};
_Static_assert(sizeof(struct sl_stats) == 64, "counters are one cache line");

struct sl_count {
	__u64 packets;
	__u64 bytes;
};

#endif
