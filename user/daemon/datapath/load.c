// SPDX-License-Identifier: BSD-2-Clause
/* From an embedded or an attached program to a struct datapath. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <xdp/libxdp.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/occupant.h"
#include "daemon/datapath/owned.h"
#include "daemon/log.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice.skel.h"

/* Words per key: sparse enough that no key ends up SL_DIRECTORY_PROBES away. */
#define DIRECTORY_SPARSENESS 8

/* The share of handshakes, and of pinned clients, as sluice/abi.h has it too. */
#define FLOWS_PER_OTHER 8

#define GATE_LINE_WORDS (sizeof(struct sl_gate_line) / sizeof(__u64))

/* Of one message of libbpf's, at most so many lines are logged, the last ones. */
#define LOG_LINES 20

/* libbpf and libxdp speak of failures that are then handled (no such program
 * yet, an older kernel): for whoever looks for trouble, not for everybody. What
 * they do when nothing fails is nobody's business.
 */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	_cleanup_(cleanup_free) char *text = NULL;
	char *line, *rest;
	unsigned left = 0;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	/* Of a verifier's log, the end says what was wrong. */
	for (const char *c = text; *c; c++)
		left += *c == '\n';
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (left-- <= LOG_LINES)
			log_debug("%s", line);
	return 0;
}

static int print_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	return print_libbpf(level == LIBXDP_DEBUG ? LIBBPF_DEBUG : LIBBPF_INFO, format, args);
}

static void quiet_libraries(void)
{
	libbpf_set_print(print_libbpf);
	libxdp_set_print(print_libxdp);
}

static unsigned power_of_two(unsigned at_least)
{
	unsigned power = 16;

	while (power < at_least)
		power *= 2;
	return power;
}

static void set_constants(struct sl_settings *settings, const unsigned entries[SL_SIZE_COUNT],
			  unsigned long long hash_seed)
{
	settings->directory_mask = entries[SL_SIZE_DIRECTORY] - 1;
	settings->return_mask = entries[SL_SIZE_RETURN_DIRECTORY] - 1;
	settings->gate_mask = entries[SL_SIZE_GATE] - 1;
	settings->hash_seed = hash_seed;
}

static int set_sizes(struct sluice_bpf *skeleton, const struct datapath_sizes *sizes)
{
	/* 0: as the object file has it. */
	const unsigned entries[SL_SIZE_COUNT] = {
		[SL_SIZE_DIRECTORY] = power_of_two(sizes->services * DIRECTORY_SPARSENESS),
		[SL_SIZE_ENTRIES] = sizes->services * 2,
		[SL_SIZE_SERVICES] = sizes->services,
		[SL_SIZE_SLOTS] = sizes->slots,
		[SL_SIZE_BACKENDS] = sizes->backends,
		[SL_SIZE_FLOWS] = sizes->flows,
		[SL_SIZE_HANDSHAKES] = sizes->flows / FLOWS_PER_OTHER,
		[SL_SIZE_AFFINITIES] = sizes->flows / FLOWS_PER_OTHER,
		[SL_SIZE_RETURN_DIRECTORY] = power_of_two(sizes->backends * DIRECTORY_SPARSENESS),
		[SL_SIZE_LIMITS] = sizes->limits * 2, /* the running ones, and their successors */
		[SL_SIZE_GATE] = power_of_two(sizes->gate / GATE_LINE_WORDS),
		[SL_SIZE_BUCKETS] = sizes->buckets,
	};

	set_constants(&skeleton->rodata_config->sl_settings, entries, sizes->hash_seed);
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		unsigned wanted = entries[maps_size(i)];
		struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, maps_name(i));
		int error = map ? 0 : -ENOENT;

		if (!error && wanted)
			error = bpf_map__set_max_entries(map, wanted);
		if (error)
			return error;
	}
	return 0;
}

DEFINE_CLEANUP(sluice_bpf__destroy, struct sluice_bpf *);

static void datapath_cleanup(struct datapath **datapath)
{
	datapath_free(*datapath, true);
}

static int load_program(const struct datapath_sizes *sizes, struct diag *diag, int *ret_fd)
{
	_cleanup_(sluice_bpf__destroyp) struct sluice_bpf *skeleton = sluice_bpf__open();
	int error, fd;

	if (!skeleton)
		return diag_set(diag, errno, "cannot open the embedded program: %s",
				strerror(errno));
	error = set_sizes(skeleton, sizes);
	if (!error)
		error = sluice_bpf__load(skeleton);
	if (error)
		return diag_set(diag, -error, "the kernel does not load the program: %s%s",
				strerror(-error), error == -EPERM ? " (root or CAP_BPF?)" : "");
	fd = fcntl(bpf_program__fd(skeleton->progs.sluice), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return diag_set(diag, errno, "cannot keep the program: %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

static const struct sl_key *service_key(const void *entries, unsigned index)
{
	return &((const struct sl_service *)entries)[index].key;
}

static const struct sl_key *return_key(const void *entries, unsigned index)
{
	return &((const struct sl_return *)entries)[index].key;
}

static int make_allocators(struct datapath *datapath)
{
	const struct map *map = datapath->maps.map;
	int error = idpool_new(map[MAP_SERVICES].entries, &datapath->entries)
		 ?: idpool_new(map[MAP_SERVICE_STAT].entries, &datapath->services)
		 ?: idpool_new(map[MAP_BACKENDS].entries, &datapath->backends)
		 ?: idpool_new(map[MAP_RETURNS].entries, &datapath->returns)
		 ?: extents_new(map[MAP_SLOTS].entries, &datapath->slots);

	if (error)
		return error;
	grace_watch_pool(datapath, datapath->entries);
	grace_watch_pool(datapath, datapath->services);
	grace_watch_pool(datapath, datapath->backends);
	grace_watch_pool(datapath, datapath->returns);
	grace_watch_ranges(datapath, datapath->slots);
	return limits_init(datapath) ?: access_init(datapath);
}

/* The kernel's ticks, which it does not tell, are the steps of its coarse clock. */
static unsigned jiffy_ns(void)
{
	struct timespec step;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &step) ? 4000000 : (unsigned)step.tv_nsec;
}

static int read_settings(struct datapath *datapath, struct diag *diag)
{
	struct sl_settings settings;
	__u32 key = 0;

	if (bpf_map_lookup_elem(datapath->maps.map[MAP_CONFIG].fd, &key, &settings))
		return diag_set(diag, errno, "cannot read the program's constants: %s",
				strerror(errno));
	datapath->hash_seed = settings.hash_seed;
	datapath->maps.tuning->jiffy_ns = jiffy_ns();
	/* Attached by hand, or new: nobody must know where in the gate a source is. */
	if (!datapath->maps.tuning->gate_seed &&
	    getrandom(&datapath->maps.tuning->gate_seed, sizeof(__u64), 0) < 0)
		return diag_set(diag, errno, "cannot get a random number: %s", strerror(errno));
	datapath->round = (unsigned)*datapath->maps.round;
	return 0;
}

int datapath_new(int program_fd, struct diag *diag, struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = calloc(1, sizeof(*datapath));
	int error;

	if (!datapath) {
		(void)close(program_fd);
		return diag_no_memory(diag);
	}
	datapath->program_fd = program_fd;
	datapath->pin_lock = -1;
	error = maps_open(program_fd, diag, &datapath->maps);
	if (error)
		return error;
	error = read_settings(datapath, diag);
	if (error)
		return error;
	datapath->directory = (struct directory){
		.words = datapath->maps.directory,
		.size = datapath->maps.map[MAP_DIRECTORY].entries,
		.key_of = service_key,
		.entries = datapath->maps.services,
	};
	datapath->return_dir = (struct directory){
		.words = datapath->maps.return_dir,
		.size = datapath->maps.map[MAP_RETURN_DIR].entries,
		.key_of = return_key,
		.entries = datapath->maps.returns,
	};
	error = make_allocators(datapath);
	datapath->by_id =
		calloc(datapath->maps.map[MAP_SERVICE_STAT].entries, sizeof(struct installed *));
	if (!datapath->by_id)
		error = -ENOMEM;
	if (error)
		return diag_no_memory(diag);
	error = datapath_learn(datapath, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

int datapath_load(const struct datapath_sizes *sizes, const char *pin_dir, struct diag *diag,
		  struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = NULL;
	int fd = -1, error;

	quiet_libraries();
	error = load_program(sizes, diag, &fd);
	if (!error)
		error = datapath_new(fd, diag, &datapath);
	if (!error)
		error = pins_make(datapath, pin_dir, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

int datapath_reopen(const struct datapath *datapath, struct bpf_object **ret_object)
{
	_cleanup_(bpf_object__closep) struct bpf_object *object = NULL;
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "sluice");
	size_t size;
	const void *elf = sluice_bpf__elf_bytes(&size);

	object = bpf_object__open_mem(elf, size, &options);
	if (!object)
		return -errno;
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, maps_name(i));
		int error = map ? bpf_map__reuse_fd(map, datapath->maps.map[i].fd) : -ENOENT;

		if (error)
			return error;
	}
	*ret_object = TAKE_PTR(object);
	return 0;
}

/* A program that was found in a dispatcher cannot run alone, as what is pinned
 * has to: loads the plain one in its place.
 */
static int make_plain(struct datapath *datapath, struct diag *diag)
{
	_cleanup_(bpf_object__closep) struct bpf_object *object = NULL;
	struct bpf_prog_info info = {};
	unsigned size = sizeof(info);
	int error, fd;

	if (bpf_obj_get_info_by_fd(datapath->program_fd, &info, &size))
		return diag_set(diag, errno, "cannot ask what program it is: %s", strerror(errno));
	if (info.type == BPF_PROG_TYPE_XDP)
		return 0;
	error = datapath_reopen(datapath, &object);
	if (!error)
		error = bpf_object__load(object);
	if (error)
		return diag_set(diag, -error, "the kernel does not load the program: %s",
				strerror(-error));
	fd = fcntl(bpf_program__fd(bpf_object__find_program_by_name(object, "sluice")),
		   F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return diag_set(diag, errno, "cannot keep the program: %s", strerror(errno));
	cleanup_close(&datapath->program_fd);
	datapath->program_fd = fd;
	return 0;
}

int datapath_fits(const struct datapath *datapath, const struct datapath_sizes *sizes,
		  struct diag *diag)
{
	const struct map *map = datapath->maps.map;
	const struct {
		const char *what;
		unsigned held, needed;
	} rooms[] = {
		{ "services", map[MAP_SERVICE_STAT].entries, sizes->services },
		{ "backends", map[MAP_BACKENDS].entries, sizes->backends },
		{ "slots", map[MAP_SLOTS].entries, sizes->slots },
		{ "limits", map[MAP_LIMITS].entries, sizes->limits * 2 },
	};

	if (datapath->hash_seed != sizes->hash_seed)
		return diag_set(diag, EEXIST,
				"its hash_seed is %#llx, not %#llx, and another one would move all "
				"connections to other backends",
				(unsigned long long)datapath->hash_seed, sizes->hash_seed);
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
		if (rooms[i].held < rooms[i].needed)
			return diag_set(diag, ENOSPC, "its maps have room for %u %s, %u are needed",
					rooms[i].held, rooms[i].what, rooms[i].needed);
	return 0;
}

int datapath_adopt(int ifindex, const struct datapath_sizes *sizes, const char *pin_dir,
		   struct diag *diag, struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = NULL;
	int error, fd;

	quiet_libraries();
	fd = occupant_find_sluice(ifindex);
	if (fd < 0)
		return diag_set(diag, -fd, "no sluice program there");
	error = datapath_new(fd, diag, &datapath);
	if (!error)
		error = datapath_fits(datapath, sizes, diag);
	if (!error)
		error = make_plain(datapath, diag);
	if (!error)
		error = pins_make(datapath, pin_dir, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

void datapath_free(struct datapath *datapath, bool keep)
{
	struct hash_node *node, *next;

	if (!datapath)
		return;
	if (!keep)
		pins_remove(datapath);
	for (node = hashtable_next(&datapath->installed, NULL); node; node = next) {
		struct installed *installed = HASH_ENTRY(node, struct installed, node);

		next = hashtable_next(&datapath->installed, node);
		transition_end(installed);
		free(installed->backends);
		free(installed);
	}
	hashtable_done(&datapath->installed);
	free(datapath->by_id);
	free(datapath->dropped);
	walk_free(datapath->walk);
	xdp_program__close(datapath->program);
	bpf_object__close(datapath->object);
	idpool_free(datapath->entries);
	idpool_free(datapath->services);
	idpool_free(datapath->backends);
	idpool_free(datapath->returns);
	extents_free(datapath->slots);
	limits_free(datapath);
	access_free(datapath);
	datapath_events_free(datapath);
	maps_close(&datapath->maps);
	cleanup_close(&datapath->pin_lock);
	cleanup_close(&datapath->program_fd);
	free(datapath);
}
