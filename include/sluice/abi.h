/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The contract between the XDP program and the daemon: what the maps hold.
 * Both sides compile this file; nothing is copied by hand. Includes
 * linux/types.h alone, so that it compiles for BPF and natively.
 *
 * How a change becomes visible to packets (there is no lock): an entry that is
 * wider than a word is written to an index that no packet can reach yet, then
 * one aligned word that leads to it is stored. An index that packets could
 * reach is written again only after a grace period (see datapath.h).
 */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

#include <linux/types.h>

/* Version of everything in this file. It is read from the map .rodata.abi of a
 * program found on an interface before anything else of it is believed.
 */
#define SL_ABI 2

/* Sizes that the object file has when nobody sets others (attached by `ip
 * link`). The daemon sizes the maps by its configuration before it loads.
 */
#define SL_DEFAULT_DIRECTORY        4096 /* words; a power of two */
#define SL_DEFAULT_SERVICES         2048 /* entries, twice the services */
#define SL_DEFAULT_SLOTS            (1 << 21)
#define SL_DEFAULT_BACKENDS         16384
#define SL_DEFAULT_RETURN_DIRECTORY 65536 /* words; a power of two */
#define SL_DEFAULT_DEVICES          4096
#define SL_DEFAULT_SOURCES          (1 << 17) /* LRU buckets of limits */
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
};
_Static_assert(sizeof(struct sl_settings) == 16, "sl_settings has no holes");

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

/* What a service, or a backend's answers, are found by. */
struct sl_key {
	struct sl_addr addr;
	__be16 port;
	__u8 proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 family; /* SL_FAMILY_* */
	__u32 pad;   /* zero */
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
	__u64 interval;  /* ticks per packet; 0: no limit */
	__u64 tolerance; /* ticks a packet may come early: (burst - 1) * interval */
};

enum sl_scheduler {
	SL_SCHEDULER_MAGLEV,
	SL_SCHEDULER_SOURCE_HASH,
	/* From here on every flow is tracked, and slots have no `previous`. */
	SL_SCHEDULER_ROUND_ROBIN,
	SL_SCHEDULER_LEAST_CONNECTIONS,
	SL_SCHEDULER_RANDOM,
};

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
	__u8 pad;
	struct sl_rate limit;
	__u32 affinity_timeout; /* SL_SECONDs; 0: no affinity */
	/* Index of the entry that this one has replaced (SL_REPLACED_MAX), another table or another
	 * scheduler, while older connections may still go by it; 0: none.
	 */
	__u32 replaced;
};
_Static_assert(sizeof(struct sl_service) == 64, "a service is one cache line");

/* Index of no backend: none can serve. */
#define SL_NO_BACKEND 0

/* Coarse time, in which flows are seen and affinities expire: 2^30 ns (1.07 s)
 * of CLOCK_MONOTONIC.
 */
#define SL_SECOND_SHIFT 30

/* Where a packet leaves: written whole, never in place while in use. */
struct sl_hop {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 ifindex; /* the device that carries the frame; never a VLAN device */
	__be16 vlan;   /* VLAN id on that device, 0: untagged */
	__u16 pad;
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

enum sl_forward {
	SL_FORWARD_DSR = 1,
	SL_FORWARD_NAT,
};

/* sl_backend.state */
#define SL_BACKEND_HOP    1 /* which of hops[] is in use */
#define SL_BACKEND_SERVES 2 /* its established connections go on */
#define SL_BACKEND_NEW    4 /* it takes new ones */

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

/* nat: what a backend answers from, and which service it is then shown as. */
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

/* A client's (or prefix's) backend; the key is a struct sl_source. */
struct sl_affinity {
	__u32 backend; /* index into sl_backends */
	__u32 expires; /* SL_SECONDs */
};

/* Key of a source's bucket in sl_sources; the value is the theoretical arrival
 * time in ticks, one 64-bit word.
 */
struct sl_source {
	struct sl_addr addr; /* IPv4: whole; IPv6: its /64 */
	__u32 service;       /* sl_service.id */
	__u32 family;
};
_Static_assert(sizeof(struct sl_source) == 24, "sl_source has no holes");

/* Counters of a service or a backend; per CPU, one cache line. */
struct sl_stats {
	__u64 packets;         /* from clients, forwarded */
	__u64 bytes;           /* of whole frames, as they arrived */
	__u64 connections;     /* TCP SYNs forwarded; UDP has no such mark */
	__u64 dropped_packets; /* of this service, whatever the reason; backends: 0 */
	__u64 dropped_bytes;
	__u64 reply_packets; /* nat: from backends, forwarded to clients */
	__u64 reply_bytes;
	__u64 pad;
};
_Static_assert(sizeof(struct sl_stats) == 64, "counters are one cache line");

struct sl_count {
	__u64 packets;
	__u64 bytes;
};

#endif
