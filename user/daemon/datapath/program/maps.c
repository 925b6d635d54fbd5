// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/program/maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define PROGRAM_MAPS_MAX 64

struct map_rule {
	const char *name; /* 15 characters at most: the kernel keeps no more */
	enum sl_size size;
	unsigned value_size; /* bytes */
	bool mapped;
};

#define IS_MAPPED   true
#define IS_UNMAPPED false
#define IS_SPARSE   false

static const struct map_rule rules[MAP_COUNT] = {
	[MAP_CONFIG] = { SL_SECTION_CONFIG, SL_SIZE_ONE, sizeof(struct sl_settings), false },
	[MAP_TUNING] = { SL_SECTION_TUNING, SL_SIZE_ONE, sizeof(struct sl_tuning), true },
	[MAP_FILTER] = { SL_SECTION_FILTER, SL_SIZE_ONE, sizeof(struct sl_return_filter), true },
	[MAP_OURS] = { SL_SECTION_OURS, SL_SIZE_ONE, sizeof(struct sl_ours), true },
#define MAP(enumerator, name, kind, key, value, entries, memory) \
	[MAP_##enumerator] = { "sl_" #name, SL_SIZE_##entries, sizeof(value), IS_##memory },
#define RING(enumerator, name, entries) \
	[MAP_##enumerator] = { "sl_" #name, SL_SIZE_##entries, 0, false },
	SL_MAPS(MAP, MAP, RING)
#undef MAP
#undef RING
};

const char *maps_name(enum map_name map)
{
	return rules[map].name;
}

enum sl_size maps_size(enum map_name map)
{
	return rules[map].size;
}

/* Ids of the program's maps; the number, or -errno. */
static int program_map_ids(int program_fd, __u32 ret_ids[static PROGRAM_MAPS_MAX])
{
	struct bpf_prog_info info = {
		.nr_map_ids = PROGRAM_MAPS_MAX,
		.map_ids = (uintptr_t)ret_ids,
	};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(program_fd, &info, &length))
		return -errno;
	return (int)(info.nr_map_ids < PROGRAM_MAPS_MAX ? info.nr_map_ids : PROGRAM_MAPS_MAX);
}

static int map_info(int fd, struct bpf_map_info *ret_info)
{
	__u32 length = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	return bpf_obj_get_info_by_fd(fd, ret_info, &length) ? -errno : 0;
}

bool maps_used_by(int program_fd, int map_fd)
{
	__u32 ids[PROGRAM_MAPS_MAX];
	struct bpf_map_info info;
	int n = program_map_ids(program_fd, ids);

	if (map_info(map_fd, &info))
		return false;
	for (int i = 0; i < n; i++)
		if (ids[i] == info.id)
			return true;
	return false;
}

/* Takes ownership of fd where the map is one of ours, and maps it into memory if it is listed
 * so.
 */
static int keep_map(struct maps *maps, int *fd, const struct bpf_map_info *info, struct diag *diag)
{
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		struct map *map = &maps->map[i];

		if (strcmp(info->name, rules[i].name) != 0)
			continue;
		if (info->value_size != rules[i].value_size)
			return diag_set(diag, EPROTO, "its map %s has values of %u bytes, not %u",
					info->name, info->value_size, rules[i].value_size);
		map->fd = TAKE_FD(*fd);
		map->entries = info->max_entries;
		if (!rules[i].mapped)
			return 0;
		map->size = (size_t)map->entries * rules[i].value_size;
		map->memory = mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
		if (map->memory == MAP_FAILED) {
			map->memory = NULL;
			return diag_set(diag, errno, "cannot map %s into memory: %s", info->name,
					strerror(errno));
		}
		return 0;
	}
	return 0;
}

/* The layout's version comes first: other maps are of no use if it is another. */
static int check_abi(int fd, struct diag *diag)
{
	__u32 key = 0, abi = 0;

	if (bpf_map_lookup_elem(fd, &key, &abi))
		return diag_set(diag, errno, "cannot read its layout's version: %s",
				strerror(errno));
	if (abi != SL_ABI)
		return diag_set(diag, EPROTO, "its maps have layout %u, this sluiced knows %u", abi,
				SL_ABI);
	return 0;
}

static int open_map(struct maps *maps, __u32 id, bool *abi_seen, struct diag *diag)
{
	_cleanup_(cleanup_close) int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info;
	int error;

	if (fd < 0)
		return diag_set(diag, errno, "cannot open its map %u: %s", id, strerror(errno));
	error = map_info(fd, &info);
	if (error)
		return diag_set(diag, -error, "cannot ask about its map %u: %s", id,
				strerror(-error));
	if (!strcmp(info.name, SL_SECTION_ABI)) {
		*abi_seen = true;
		return check_abi(fd, diag);
	}
	return keep_map(maps, &fd, &info, diag);
}

static void set_pointers(struct maps *maps)
{
	maps->tuning = maps->map[MAP_TUNING].memory;
	maps->filter = maps->map[MAP_FILTER].memory;
	maps->ours = maps->map[MAP_OURS].memory;
#define POINTER_MAPPED(enumerator, name) maps->name = maps->map[MAP_##enumerator].memory;
#define POINTER_UNMAPPED(enumerator, name)
#define POINTER_SPARSE(enumerator, name)
#define MAP(enumerator, name, kind, key, value, size, memory) POINTER_##memory(enumerator, name)
#define RING(...)
	SL_MAPS(MAP, MAP, RING)
#undef MAP
#undef RING
#undef POINTER_MAPPED
#undef POINTER_UNMAPPED
#undef POINTER_SPARSE
}

int maps_open(int program_fd, struct diag *diag, struct maps *ret_maps)
{
	__u32 ids[PROGRAM_MAPS_MAX];
	bool abi_seen = false;
	int error, n = program_map_ids(program_fd, ids);

	memset(ret_maps, 0, sizeof(*ret_maps));
	for (unsigned i = 0; i < MAP_COUNT; i++)
		ret_maps->map[i].fd = -1;
	if (n < 0)
		return diag_set(diag, -n, "cannot ask about the program: %s", strerror(-n));
	for (int i = 0; i < n; i++) {
		error = open_map(ret_maps, ids[i], &abi_seen, diag);
		if (error)
			return error;
	}
	if (!abi_seen)
		return diag_set(diag, EPROTO, "it has no map %s: it is no program of sluice's",
				SL_SECTION_ABI);
	for (unsigned i = 0; i < MAP_COUNT; i++)
		if (ret_maps->map[i].fd < 0)
			return diag_set(diag, EPROTO, "it has no map %s", rules[i].name);
	if (ret_maps->map[MAP_VERDICTS].entries != SL_VERDICT_COUNT)
		return diag_set(diag, EPROTO, "it counts %u verdicts, this sluiced %u",
				ret_maps->map[MAP_VERDICTS].entries, SL_VERDICT_COUNT);
	set_pointers(ret_maps);
	return 0;
}

void maps_close(struct maps *maps)
{
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		struct map *map = &maps->map[i];

		if (map->memory)
			(void)munmap(map->memory, map->size);
		cleanup_close(&map->fd);
		*map = (struct map){ .fd = -1 };
	}
}
