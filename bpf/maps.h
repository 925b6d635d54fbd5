/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * All maps and load-time constants. Unless a comment says otherwise, sluiced
 * alone writes, through memory it has mapped, and the program reads. Sizes here
 * are for a program that `ip link` loads; sluiced sets its own.
 */
#ifndef SLUICE_BPF_MAPS_H
#define SLUICE_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"
#include "sluice/gcra.h"
#include "sluice/verdict.h"

#define DEFAULT_INTERVAL(a_second) ((1000000000ULL << SL_TICK_SHIFT) / (a_second))
#define DEFAULT_RATE(a_second, burst)                                          \
	{                                                                      \
		DEFAULT_INTERVAL(a_second), (burst)*DEFAULT_INTERVAL(a_second) \
	}

/* Read by the daemon before it trusts anything else of a program that it finds.
 * A section, thus a map, of its own: its place does not move with the others.
 */
const volatile __u32 sl_abi SEC(".rodata.abi") = SL_ABI;

const volatile struct sl_settings sl_settings SEC(".rodata.config") = {
	.directory_mask = SL_DEFAULT_DIRECTORY - 1,
	.return_mask = SL_DEFAULT_RETURN_DIRECTORY - 1,
	.hash_seed = SL_DEFAULT_HASH_SEED,
	.gate_mask = SL_DEFAULT_GATE - 1,
};

/* Not constant: the daemon changes it while packets run. */
volatile struct sl_tuning sl_tuning SEC(".data.tuning") = {
	.inserts = DEFAULT_RATE(50000, 500),
	.refusals = DEFAULT_RATE(10000, 1000),
	.events = DEFAULT_RATE(100, 100),
	.jiffy_ns = 4000000,
	.outer_v6.words = { bpf_htonl(SL_DEFAULT_OUTER_V6) },
	.outer_v6_varies = 0xffffffffU,
	.outer_v4 = bpf_htonl(SL_DEFAULT_OUTER_V4),
	.outer_v4_varies = bpf_htonl(0xffffffffU >> SL_DEFAULT_OUTER_V4_BITS),
};
_Static_assert(SL_DEFAULT_OUTER_V6_BITS <= 96, "all of the last 32 bits vary");

/* Destination -> index into sl_services. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_DIRECTORY);
	__type(key, __u32);
	__type(value, __u64);
} sl_directory SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_SERVICES);
	__type(key, __u32);
	__type(value, struct sl_service);
} sl_services SEC(".maps");

/* The services' tables, one behind the other (sluice/slot.h). (An array's elements take 8 bytes at least.)
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} sl_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_BACKENDS);
	__type(key, __u32);
	__type(value, struct sl_backend);
} sl_backends SEC(".maps");

/* Round-robin's place in each service's table, by sl_service.id; the program
 * counts it up.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SL_DEFAULT_SERVICES);
	__type(key, __u32);
	__type(value, __u64);
} sl_cursors SEC(".maps");

/* By the index of a backend. Both sides write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_BACKENDS);
	__type(key, __u32);
	__type(value, struct sl_load);
} sl_loads SEC(".maps");

/* The number of the daemon's walk over the flows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sl_round SEC(".maps");

/* Tracked flows, written by the program; the daemon's walk takes out what has
 * ended. Full: the least recently seen is lost, and is then an older connection
 * that nothing is known about.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SL_DEFAULT_FLOWS);
	__type(key, struct sl_flow_key);
	__type(value, struct sl_flow);
} sl_flows SEC(".maps");

/* Tracked flows of which nothing but a SYN has been seen: a flood of them
 * drives out nobody else. The next packet moves a flow on to sl_flows.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SL_DEFAULT_HANDSHAKES);
	__type(key, struct sl_flow_key);
	__type(value, struct sl_flow);
} sl_handshakes SEC(".maps");

/* Where clients are pinned by `affinity`; the program writes. Full: the least
 * recently used is forgotten.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SL_DEFAULT_AFFINITIES);
	__type(key, struct sl_source);
	__type(value, struct sl_affinity);
} sl_affinities SEC(".maps");

/* nat: source of a reply -> index into sl_returns, which has as many entries
 * as sl_backends.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_RETURN_DIRECTORY);
	__type(key, __u32);
	__type(value, __u64);
} sl_return_dir SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_BACKENDS);
	__type(key, __u32);
	__type(value, struct sl_return);
} sl_returns SEC(".maps");

/* Where replies can leave, by ifindex; what is not here takes no frames from
 * XDP, and the kernel sends them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SL_DEFAULT_DEVICES);
	__type(key, __u32);
	__type(value, struct sl_device);
} sl_devices SEC(".maps");

/* The program's own. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SL_ROUTES);
	__type(key, __u32);
	__type(value, struct sl_route);
} sl_ways SEC(".maps");

/* Prefixes that are allowed, denied or exempt. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SL_DEFAULT_PREFIXES);
	__type(key, struct sl_prefix);
	__type(value, struct sl_access);
} sl_prefixes SEC(".maps");

/* The limits of each service, one behind the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_LIMITS);
	__type(key, __u32);
	__type(value, struct sl_limit);
} sl_limits SEC(".maps");

/* What stands in front of the buckets; the program writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_GATE);
	__type(key, __u32);
	__type(value, struct sl_gate_line);
} sl_gate SEC(".maps");

/* Buckets of sources that the gate does not admit, written by the program. Full:
 * the least recently seen source loses its bucket, and has a full one when it
 * comes back.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SL_DEFAULT_BUCKETS);
	__type(key, struct sl_source);
	__type(value, struct sl_bucket);
} sl_buckets SEC(".maps");

/* The one bucket of a limit per service, by the limit's index. Both sides write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_DEFAULT_LIMITS);
	__type(key, __u32);
	__type(value, struct sl_bucket);
} sl_totals SEC(".maps");

/* Until which SL_SECOND sources that share a line's number may have connections
 * to the responder; the program writes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SL_DEFAULT_GATE);
	__type(key, __u32);
	__type(value, __u32);
} sl_responding SEC(".maps");

/* What the log hears of; the program writes, the daemon reads. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SL_DEFAULT_EVENTS);
} sl_events SEC(".maps");

/* What this CPU may do but so often; the program writes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_pace);
} sl_paces SEC(".maps");

/* Counters, written by the program; the daemon zeroes those of an index that it
 * gives to somebody else.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SL_DEFAULT_SERVICES);
	__type(key, __u32);
	__type(value, struct sl_stats);
} sl_service_stat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SL_DEFAULT_BACKENDS);
	__type(key, __u32);
	__type(value, struct sl_stats);
} sl_backend_stat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SL_DEFAULT_LIMITS);
	__type(key, __u32);
	__type(value, struct sl_limit_stats);
} sl_limit_stat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SL_VERDICT_COUNT);
	__type(key, __u32);
	__type(value, struct sl_count);
} sl_verdicts SEC(".maps");

#endif
