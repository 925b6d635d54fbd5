/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The maps of one program, open and mapped into memory.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PROGRAM_MAPS_H
#define SLUICE_DAEMON_DATAPATH_PROGRAM_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/maps.h"

struct diag;

/* Not in the list: sections of data, which are maps to the kernel. */
#define MAP_ENUM(enumerator, ...) MAP_##enumerator,
enum map_name {
	MAP_CONFIG,
	MAP_TUNING,
	MAP_FILTER,
	MAP_OURS,
	SL_MAPS(MAP_ENUM, MAP_ENUM, MAP_ENUM) MAP_COUNT
};
#undef MAP_ENUM

struct map {
	int fd;
	unsigned entries;
	void *memory; /* NULL where the map is not mapped */
	size_t size;  /* of memory */
};

struct maps {
	struct map map[MAP_COUNT];
	struct sl_tuning *tuning;
	struct sl_return_filter *filter;
	struct sl_ours *ours;
	/* map[].memory of those that are mapped, by type */
#define POINTER_MAPPED(name, value) value *name;
#define POINTER_UNMAPPED(name, value)
#define POINTER_SPARSE(name, value)
#define MAP(enumerator, name, kind, key, value, size, memory) POINTER_##memory(name, value)
#define RING(...)
	SL_MAPS(MAP, MAP, RING)
#undef MAP
#undef RING
#undef POINTER_MAPPED
#undef POINTER_UNMAPPED
#undef POINTER_SPARSE
};

/* The name that the kernel shows for a map. */
const char *maps_name(enum map_name map);

/* Which of the sizes a map has; SL_SIZE_ONE: a section of data. */
enum sl_size maps_size(enum map_name map);

/* Opens the maps of a loaded program by their names. -EPROTO: it is no sluice
 * program, or one of another layout; diag says which. maps_close() frees, also
 * after a failure.
 */
int maps_open(int program_fd, struct diag *diag, struct maps *ret_maps);
void maps_close(struct maps *maps);

/* Whether the program uses this map: which program's is it? */
bool maps_used_by(int program_fd, int map_fd);

#endif
