/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every map of the program, once. The program's definitions, the daemon's enum, checks,
 * typed pointers and sizes, and the descriptors that the responder is given expand from
 * these lists (bpf/maps.h, user/daemon/datapath, user/lib/respond.h). A new map is a row
 * here.
 *
 * A map is known by its name from one sluiced to the next: neither a name nor a type
 * may change without another SL_ABI.
 */
#ifndef SLUICE_SHARED_MAPS_H
#define SLUICE_SHARED_MAPS_H

#include "sluice/abi.h"
#include "sluice/ours.h"
#include "sluice/verdict.h"

/* The data sections that are maps of their own, so that the place of one does not move
 * with the others. The daemon reads the version before it trusts anything else of a
 * program that it finds; the constants are fixed when the program is loaded; the daemon
 * changes the tuning, and what is this machine's own, while packets run.
 */
#define SL_SECTION_ABI    ".rodata.abi"    /* __u32: SL_ABI */
#define SL_SECTION_CONFIG ".rodata.config" /* struct sl_settings */
#define SL_SECTION_TUNING ".data.tuning"   /* struct sl_tuning */
#define SL_SECTION_FILTER ".data.filter"   /* struct sl_return_filter */
#define SL_SECTION_OURS   ".data.ours"     /* struct sl_ours */

/* How many entries maps have: name, entries in the object file, which hold where
 * `ip link` attaches it. sluiced sets its own before it loads the program.
 */
#define SL_SIZES(X)                                                           \
	X(ONE, 1)                                                             \
	X(DIRECTORY, SL_DEFAULT_DIRECTORY)                                    \
	X(ENTRIES, SL_DEFAULT_SERVICES) /* of sl_services: two per service */ \
	X(SERVICES, SL_DEFAULT_SERVICES)                                      \
	X(SLOTS, SL_DEFAULT_SLOTS)                                            \
	X(BACKENDS, SL_DEFAULT_BACKENDS)                                      \
	X(FLOWS, SL_DEFAULT_FLOWS)                                            \
	X(HANDSHAKES, SL_DEFAULT_HANDSHAKES)                                  \
	X(AFFINITIES, SL_DEFAULT_AFFINITIES)                                  \
	X(DIRECT, SL_DEFAULT_DIRECT)                                          \
	X(DIRECT_PEERS, SL_DIRECT_PEERS)                                      \
	X(RETURN_DIRECTORY, SL_DEFAULT_RETURN_DIRECTORY)                      \
	X(DEVICES, SL_DEFAULT_DEVICES)                                        \
	X(STATIONS, SL_DEFAULT_STATIONS)                                      \
	X(ADDRESSES, SL_DEFAULT_ADDRESSES)                                    \
	X(ROUTES, SL_ROUTES)                                                  \
	X(PREFIXES, SL_DEFAULT_PREFIXES)                                      \
	X(LIMITS, SL_DEFAULT_LIMITS)                                          \
	X(GATE, SL_DEFAULT_GATE)                                              \
	X(BUCKETS, SL_DEFAULT_BUCKETS)                                        \
	X(EVENTS, SL_DEFAULT_EVENTS)                                          \
	X(UNSENT, SL_DEFAULT_UNSENT)                                          \
	X(HOPS_USED, SL_DEFAULT_HOPS_USED)                                    \
	X(HANDOVERS, SL_DEFAULT_HANDOVERS)                                    \
	X(PORTS, SL_DEFAULT_PORTS)                                            \
	X(VERDICTS, SL_VERDICT_COUNT)

#define SL_SIZE_ENUM(name, entries) SL_SIZE_##name,
enum sl_size { SL_SIZES(SL_SIZE_ENUM) SL_SIZE_COUNT };
#undef SL_SIZE_ENUM

/* The maps. Each expansion gives a macro for each kind of row:
 *
 *   MAP     a map of the program and the daemon: name of its enumerators, its own name
 *           without the sl_, BPF type, key, value, size (SL_SIZES), and how the daemon
 *           gets at a value:
 *             MAPPED    it has all of them in its memory, so that it compares with what
 *                       the program reads
 *             UNMAPPED  it asks the kernel
 *             SPARSE    the same, and an element takes memory when it is put in
 *   SHARED  the same, and the responder reads the map too
 *   RING    a ring buffer, which has neither keys nor values: names and size (bytes)
 *
 * Unless a comment says otherwise, sluiced alone writes a map and the program reads it.
 */
#define SL_MAPS(MAP, SHARED, RING)                                                                  \
	/* Destination -> index into sl_services. */                                                \
	SHARED(DIRECTORY, directory, ARRAY, __u32, __u64, DIRECTORY, MAPPED)                        \
	SHARED(SERVICES, services, ARRAY, __u32, struct sl_service, ENTRIES, MAPPED)                \
                                                                                                    \
	/* The services' tables, one behind the other (sluice/slot.h). An array's elements take */  \
	/* 8 bytes at least. */                                                                     \
	SHARED(SLOTS, slots, ARRAY, __u32, __u64, SLOTS, MAPPED)                                    \
	MAP(BACKENDS, backends, ARRAY, __u32, struct sl_backend, BACKENDS, MAPPED)                  \
                                                                                                    \
	/* Round-robin's place in each service's table, by sl_service.id; the program counts it */  \
	/* up. */                                                                                   \
	MAP(CURSORS, cursors, ARRAY, __u32, __u64, SERVICES, UNMAPPED)                              \
                                                                                                    \
	/* By the index of a backend. Both sides write. */                                          \
	MAP(LOADS, loads, ARRAY, __u32, struct sl_load, BACKENDS, MAPPED)                           \
                                                                                                    \
	/* The number of the daemon's walk over the flows. */                                       \
	MAP(ROUND, round, ARRAY, __u32, __u64, ONE, MAPPED)                                         \
                                                                                                    \
	/* Tracked flows. The program writes; the daemon's walk takes out those that have ended. */ \
	/* Full: the least recently seen flow is lost, and is then an older connection that */      \
	/* nothing is known about. */                                                               \
	MAP(FLOWS, flows, LRU_HASH, struct sl_flow_key, struct sl_flow, FLOWS, UNMAPPED)            \
                                                                                                    \
	/* Tracked flows of which only a SYN has been seen, apart, so that a flood of them */       \
	/* drives out no other flows. The next packet moves a flow on to sl_flows. Written and */   \
	/* full as sl_flows. */                                                                     \
	MAP(HANDSHAKES, handshakes, LRU_HASH, struct sl_flow_key, struct sl_flow, HANDSHAKES,       \
	    UNMAPPED)                                                                               \
                                                                                                    \
	/* Which backend `affinity` pins a client to. The program writes. Full: the least */        \
	/* recently used pin is forgotten. */                                                       \
	MAP(AFFINITIES, affinities, LRU_HASH, struct sl_source, struct sl_affinity, AFFINITIES,     \
	    UNMAPPED)                                                                               \
                                                                                                    \
	/* The backends of services that are in a group of affinity, by address: see struct */      \
	/* sl_affinity. */                                                                          \
	MAP(PEERS, peers, HASH, struct sl_source, __u32, BACKENDS, SPARSE)                          \
                                                                                                    \
	/* nat: source of a reply -> index into sl_returns, which has as many entries as */         \
	/* sl_backends. */                                                                          \
	MAP(RETURN_DIR, return_dir, ARRAY, __u32, __u64, RETURN_DIRECTORY, MAPPED)                  \
	MAP(RETURNS, returns, ARRAY, __u32, struct sl_return, BACKENDS, MAPPED)                     \
                                                                                                    \
	/* By the index of a backend. The program writes what is foreign. */                        \
	MAP(ORIGINS, origins, ARRAY, __u32, struct sl_origins, BACKENDS, MAPPED)                    \
                                                                                                    \
	/* Connections with nat backends themselves, whose packets stay as they are (TCP). The */   \
	/* program writes. Full: the least recently seen one is forgotten, until its peer speaks */ \
	/* again. */                                                                                \
	MAP(DIRECT_FLOWS, direct_flows, LRU_HASH, struct sl_direct_key, struct sl_direct, DIRECT,   \
	    UNMAPPED)                                                                               \
                                                                                                    \
	/* Packets to nat backends themselves that have not been answered yet, and peers of UDP: */ \
	/* apart, because any sender can make such entries. Written and full as */                  \
	/* sl_direct_flows. */                                                                      \
	MAP(DIRECT_ASKED, direct_asked, LRU_HASH, struct sl_direct_key, struct sl_direct, DIRECT,   \
	    UNMAPPED)                                                                               \
                                                                                                    \
	/* The SL_SECOND until which peers that share a word may have entries in these two; the */  \
	/* program writes. */                                                                       \
	MAP(DIRECT_PEERS, direct_peers, ARRAY, __u32, __u32, DIRECT_PEERS, UNMAPPED)                \
                                                                                                    \
	/* By ifindex, the devices that replies can leave by. A device that is not here takes no */ \
	/* frames from XDP. */                                                                      \
	MAP(DEVICES, devices, HASH, __u32, struct sl_device, DEVICES, UNMAPPED)                     \
                                                                                                    \
	/* The ports of bridges by which replies leave. Where it is full or has no entry, a */      \
	/* bridge is a device that takes no frames from XDP. */                                     \
	MAP(PORTS, ports, HASH, struct sl_port, struct sl_device, PORTS, UNMAPPED)                  \
                                                                                                    \
	/* Which replies the kernel would forward, were it given them with the service's address */ \
	/* as their source; they are, where their device takes no frames from XDP. */               \
	MAP(HANDOVERS, handovers, HASH, struct sl_handover, __u32, HANDOVERS, UNMAPPED)             \
                                                                                                    \
	/* The stations: frames of a service that are sent elsewhere are passed. */                 \
	MAP(STATIONS, stations, HASH, struct sl_station, __u32, STATIONS, SPARSE)                   \
                                                                                                    \
	/* The addresses that this machine holds or serves: SL_ADDRESS_*. */                        \
	MAP(ADDRESSES, addresses, HASH, struct sl_address, __u32, ADDRESSES, SPARSE)                \
                                                                                                    \
	/* The route cache of each CPU; the program alone writes and reads it. */                   \
	MAP(ROUTES, ways, PERCPU_ARRAY, __u32, struct sl_route, ROUTES, UNMAPPED)                   \
                                                                                                    \
	/* The interval (SL_HOP_USED_SHIFT) in which a next hop was last named to the daemon; */    \
	/* next hops share elements, other ones in each interval. The program writes. */            \
	MAP(HOPS_USED, hops_used, ARRAY, __u32, __u32, HOPS_USED, UNMAPPED)                         \
                                                                                                    \
	/* struct sl_unsent, with or without a packet behind it. The program writes, the daemon */  \
	/* reads. Full: the kernel is left with the packet, as it is while no daemon runs. */       \
	RING(UNSENT, unsent, UNSENT)                                                                \
                                                                                                    \
	/* Prefixes that are allowed, denied or exempt. Full: the daemon refuses the change. */     \
	SHARED(PREFIXES, prefixes, LPM_TRIE, struct sl_prefix, struct sl_access, PREFIXES, SPARSE)  \
                                                                                                    \
	/* The limits of each service, one behind the other. */                                     \
	SHARED(LIMITS, limits, ARRAY, __u32, struct sl_limit, LIMITS, MAPPED)                       \
                                                                                                    \
	/* The gate in front of the buckets; the program writes. */                                 \
	MAP(GATE, gate, ARRAY, __u32, struct sl_gate_line, GATE, MAPPED)                            \
                                                                                                    \
	/* Buckets of sources that the gate does not admit. The program writes; the daemon takes */ \
	/* out those that an operator resets. Full: the least recently seen source loses its */     \
	/* bucket, and has a full one when it comes back. */                                        \
	SHARED(BUCKETS, buckets, LRU_HASH, struct sl_source, struct sl_bucket, BUCKETS, UNMAPPED)   \
                                                                                                    \
	/* By the limit's index, the one bucket of a limit per service. Both sides write. */        \
	SHARED(TOTALS, totals, ARRAY, __u32, struct sl_bucket, LIMITS, MAPPED)                      \
                                                                                                    \
	/* The SL_SECOND until which sources that share a line's number may have connections to */  \
	/* the responder; the program writes. */                                                    \
	MAP(RESPONDING, responding, ARRAY, __u32, __u32, GATE, UNMAPPED)                            \
                                                                                                    \
	/* struct sl_event, for the log. The program writes, the daemon reads. Full: the event */   \
	/* is lost, and counted in sl_limit_stats.unheard. */                                       \
	RING(EVENTS, events, EVENTS)                                                                \
                                                                                                    \
	/* Rates of this CPU's; the program writes. */                                              \
	MAP(PACES, paces, PERCPU_ARRAY, __u32, struct sl_pace, ONE, UNMAPPED)                       \
                                                                                                    \
	/* Counters. The program writes; the daemon zeroes those of an index that it gives to */    \
	/* another service, backend or limit. */                                                    \
	MAP(SERVICE_STAT, service_stat, PERCPU_ARRAY, __u32, struct sl_stats, SERVICES, UNMAPPED)   \
	MAP(BACKEND_STAT, backend_stat, PERCPU_ARRAY, __u32, struct sl_stats, BACKENDS, UNMAPPED)   \
	MAP(LIMIT_STAT, limit_stat, PERCPU_ARRAY, __u32, struct sl_limit_stats, LIMITS, UNMAPPED)   \
	MAP(VERDICTS, verdicts, PERCPU_ARRAY, __u32, struct sl_count, VERDICTS, UNMAPPED)

#endif
