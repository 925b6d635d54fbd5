// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/program/program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "daemon/datapath/program/maps.h"
#include "daemon/datapath/program/owned.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice.skel.h"

/* How many lines of one message of libbpf are logged, the last ones. */
#define LOG_LINES 20

DEFINE_CLEANUP(sluice_bpf__destroy, struct sluice_bpf *);

/* libbpf and libxdp report failures that are handled then (no such program yet, an older
 * kernel): they help in the search for a fault, and would alarm everywhere else. Reports of
 * no failure are dropped.
 */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	_cleanup_(cleanup_free) char *text = NULL;
	char *line, *rest;
	unsigned left = 0;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	/* The end of a verifier's log says what was wrong. */
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

void program_quiet_libraries(void)
{
	libbpf_set_print(print_libbpf);
	libxdp_set_print(print_libxdp);
}

/* ---- loading ------------------------------------------------------------------ */

static void set_constants(struct sl_settings *settings, const unsigned entries[SL_SIZE_COUNT],
			  unsigned long long hash_seed)
{
	settings->directory_mask = entries[SL_SIZE_DIRECTORY] - 1;
	settings->return_mask = entries[SL_SIZE_RETURN_DIRECTORY] - 1;
	settings->gate_mask = entries[SL_SIZE_GATE] - 1;
	settings->hash_seed = hash_seed;
}

static int set_sizes(const struct sluice_bpf *skeleton, const unsigned entries[SL_SIZE_COUNT])
{
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

static int keep_fd(int fd, struct diag *diag, int *ret_fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return diag_set(diag, errno, "cannot keep the program: %s", strerror(errno));
	*ret_fd = copy;
	return 0;
}

int program_load(const unsigned entries[static SL_SIZE_COUNT], unsigned long long hash_seed,
		 struct diag *diag, int *ret_fd)
{
	_cleanup_(sluice_bpf__destroyp) struct sluice_bpf *skeleton = sluice_bpf__open();
	int error;

	if (!skeleton)
		return diag_set(diag, errno, "cannot open the embedded program: %s",
				strerror(errno));
	set_constants(&skeleton->rodata_config->sl_settings, entries, hash_seed);
	error = set_sizes(skeleton, entries);
	if (!error)
		error = sluice_bpf__load(skeleton);
	if (error)
		return diag_set(diag, -error, "the kernel does not load the program: %s%s",
				strerror(-error), error == -EPERM ? " (root or CAP_BPF?)" : "");
	return keep_fd(bpf_program__fd(skeleton->progs.sluice), diag, ret_fd);
}

int program_keep(struct program *program, int fd, struct diag *diag)
{
	int copy = -1, error = keep_fd(fd, diag, &copy);

	if (error)
		return error;
	cleanup_close(&program->fd);
	program->fd = copy;
	return 0;
}

/* ---- once more over the same maps --------------------------------------------- */

/* Not loaded yet. */
static int reopen(const struct maps *maps, struct bpf_object **ret_object)
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
		int error = map ? bpf_map__reuse_fd(map, maps->map[i].fd) : -ENOENT;

		if (error)
			return error;
	}
	*ret_object = TAKE_PTR(object);
	return 0;
}

int program_make_plain(struct program *program, const struct maps *maps, struct diag *diag)
{
	_cleanup_(bpf_object__closep) struct bpf_object *object = NULL;
	struct bpf_prog_info info = {};
	unsigned size = sizeof(info);
	int error;

	if (bpf_obj_get_info_by_fd(program->fd, &info, &size))
		return diag_set(diag, errno, "cannot ask what program it is: %s", strerror(errno));
	if (info.type == BPF_PROG_TYPE_XDP)
		return 0;
	error = reopen(maps, &object);
	if (!error)
		error = bpf_object__load(object);
	if (error)
		return diag_set(diag, -error, "the kernel does not load the program: %s",
				strerror(-error));
	return program_keep(
		program, bpf_program__fd(bpf_object__find_program_by_name(object, "sluice")), diag);
}

int program_make_chained(struct program *program, const struct maps *maps)
{
	_cleanup_(bpf_object__closep) struct bpf_object *object = NULL;
	struct xdp_program *chained;
	int error;

	if (program->chained)
		return 0;
	error = reopen(maps, &object);
	if (error)
		return error;
	chained = xdp_program__from_bpf_obj(object, "xdp");
	if (libxdp_get_error(chained))
		return (int)libxdp_get_error(chained);
	program->chained = chained;
	program->object = TAKE_PTR(object);
	return 0;
}

void program_forget_chained(struct program *program)
{
	xdp_program__close(program->chained);
	bpf_object__close(program->object);
	program->chained = NULL;
	program->object = NULL;
}

void program_done(struct program *program)
{
	program_forget_chained(program);
	cleanup_close(&program->fd);
}
