/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The maps of one program, open and mapped into memory. Private to datapath*.c
 * and datapath/attach.c.
 */
#ifndef SLUICE_DAEMON_DATAPATH_MAPS_H
#define SLUICE_DAEMON_DATAPATH_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/abi.h"

struct diag;

/* Enum, name in the kernel (15 characters at most), value size, mapped or not. */
#define DATAPATH_MAPS(X)                                                     \
	X(CONFIG, ".rodata.config", sizeof(struct sl_settings), false)       \
	X(DIRECTORY, "sl_directory", sizeof(uint64_t), true)                 \
	X(SERVICES, "sl_services", sizeof(struct sl_service), true)          \
	X(SLOTS, "sl_slots", sizeof(uint64_t), true)                         \
	X(CURSORS, "sl_cursors", sizeof(uint64_t), false)                    \
	X(BACKENDS, "sl_backends", sizeof(struct sl_backend), true)          \
	X(LOADS, "sl_loads", sizeof(struct sl_load), true)                   \
	X(ROUND, "sl_round", sizeof(uint64_t), true)                         \
	X(FLOWS, "sl_flows", sizeof(struct sl_flow), false)                  \
	X(HANDSHAKES, "sl_handshakes", sizeof(struct sl_flow), false)        \
	X(AFFINITIES, "sl_affinities", sizeof(struct sl_affinity), false)    \
	X(RETURN_DIR, "sl_return_dir", sizeof(uint64_t), true)               \
	X(RETURNS, "sl_returns", sizeof(struct sl_return), true)             \
	X(DEVICES, "sl_devices", sizeof(struct sl_device), false)            \
	X(ROUTES, "sl_ways", sizeof(struct sl_route), false)                 \
	X(TUNING, ".data.tuning", sizeof(struct sl_tuning), true)            \
	X(PREFIXES, "sl_prefixes", sizeof(struct sl_access), false)          \
	X(LIMITS, "sl_limits", sizeof(struct sl_limit), true)                \
	X(TOTALS, "sl_totals", sizeof(struct sl_bucket), true)               \
	X(GATE, "sl_gate", sizeof(struct sl_gate_line), true)                \
	X(BUCKETS, "sl_buckets", sizeof(struct sl_bucket), false)            \
	X(RESPONDING, "sl_responding", sizeof(uint32_t), false)              \
	X(PACES, "sl_paces", sizeof(struct sl_pace), false)                  \
	X(EVENTS, "sl_events", 0, false)                                     \
	X(LIMIT_STAT, "sl_limit_stat", sizeof(struct sl_limit_stats), false) \
	X(SERVICE_STAT, "sl_service_stat", sizeof(struct sl_stats), false)   \
	X(BACKEND_STAT, "sl_backend_stat", sizeof(struct sl_stats), false)   \
	X(VERDICTS, "sl_verdicts", sizeof(struct sl_count), false)

#define DATAPATH_MAP_ENUM(name, text, size, mapped) MAP_##name,
enum map_name { DATAPATH_MAPS(DATAPATH_MAP_ENUM) MAP_COUNT };
#undef DATAPATH_MAP_ENUM

struct map {
	int fd;
	unsigned entries;
	void *memory; /* NULL where the map is not mapped */
	size_t size;  /* of memory */
};

struct maps {
	struct map map[MAP_COUNT];
	/* map[].memory, by type */
	uint64_t *directory;
	struct sl_service *services;
	uint64_t *slots;
	struct sl_backend *backends;
	struct sl_load *loads;
	uint64_t *round;
	uint64_t *return_dir;
	struct sl_return *returns;
	struct sl_tuning *tuning;
	struct sl_limit *limits;
	struct sl_bucket *totals;
	struct sl_gate_line *gate;
};

/* The name that the kernel shows for a map. */
const char *map_text(enum map_name name);

/* Opens the maps of a loaded program by their names. -EPROTO: it is no sluice
 * program, or one of another layout; diag says which. maps_close() frees, also
 * after a failure.
 */
int maps_open(int program_fd, struct diag *diag, struct maps *ret_maps);
void maps_close(struct maps *maps);

/* Whether the program uses this map: whose program is it? */
bool program_has_map(int program_fd, int map_fd);

/* Returns when every run of the program that had begun before the call has
 * ended: what it could still read may be written again then. 0 or -errno.
 */
int maps_wait_for_readers(void);

#endif
