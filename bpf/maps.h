/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The program's maps, defined as include/sluice/maps.h lists them, and its load-time
 * constants.
 */
#ifndef SLUICE_BPF_MAPS_H
#define SLUICE_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"
#include "sluice/gcra.h"
#include "sluice/maps.h"

#define DEFAULT_INTERVAL(a_second) ((1000000000ULL << SL_TICK_SHIFT) / (a_second))
#define DEFAULT_RATE(a_second, burst) \
	{ DEFAULT_INTERVAL(a_second), (burst) * DEFAULT_INTERVAL(a_second) }

const volatile __u32 sl_abi SEC(SL_SECTION_ABI) = SL_ABI;

const volatile struct sl_settings sl_settings SEC(SL_SECTION_CONFIG) = {
	.directory_mask = SL_DEFAULT_DIRECTORY - 1,
	.return_mask = SL_DEFAULT_RETURN_DIRECTORY - 1,
	.hash_seed = SL_DEFAULT_HASH_SEED,
	.gate_mask = SL_DEFAULT_GATE - 1,
};

volatile struct sl_tuning sl_tuning SEC(SL_SECTION_TUNING) = {
	.inserts = DEFAULT_RATE(50000, 500),
	.refusals = DEFAULT_RATE(10000, 1000),
	.events = DEFAULT_RATE(100, 100),
	.unsent = DEFAULT_RATE(1000, 100),
	.jiffy_ns = 4000000,
	.outer_v6.words = { bpf_htonl(SL_DEFAULT_OUTER_V6) },
	.outer_v6_varies = 0xffffffffU,
	.outer_v4 = bpf_htonl(SL_DEFAULT_OUTER_V4),
	.outer_v4_varies = bpf_htonl(0xffffffffU >> SL_DEFAULT_OUTER_V4_BITS),
	.direct_tcp = 900,
	.direct_udp = 120,
};
volatile struct sl_ours sl_ours SEC(SL_SECTION_OURS) = {
	.stations = { [0 ... SL_STATION_LINES - 1] = { SL_STATION_NONE, SL_STATION_NONE } },
};

_Static_assert(SL_DEFAULT_OUTER_V6_BITS <= 96, "all of the last 32 bits vary");

volatile struct sl_return_filter sl_return_filter SEC(SL_SECTION_FILTER);

#define ENTRIES(name, entries) ENTRIES_##name = (entries),
enum { SL_SIZES(ENTRIES) };
#undef ENTRIES

#define FLAGS_MAPPED __uint(map_flags, BPF_F_MMAPABLE);
#define FLAGS_UNMAPPED
#define FLAGS_SPARSE __uint(map_flags, BPF_F_NO_PREALLOC);

#define MAP(enumerator, name, kind, key_type, value_type, size, memory) \
	struct {                                                        \
		__uint(type, BPF_MAP_TYPE_##kind);                      \
		FLAGS_##memory __uint(max_entries, ENTRIES_##size);     \
		__type(key, key_type);                                  \
		__type(value, value_type);                              \
	} sl_##name SEC(".maps");

#define RING(enumerator, name, size)                 \
	struct {                                     \
		__uint(type, BPF_MAP_TYPE_RINGBUF);  \
		__uint(max_entries, ENTRIES_##size); \
	} sl_##name SEC(".maps");

SL_MAPS(MAP, MAP, RING)

#undef MAP
#undef RING
#undef FLAGS_MAPPED
#undef FLAGS_UNMAPPED
#undef FLAGS_SPARSE

#endif
