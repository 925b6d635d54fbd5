/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The maps are found by name among those that the program uses, so nothing
 * depends on where the daemon pins them.
 */
#include "tests/bench/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define MAPS_MAX                                  64

#define VERDICT_NAME(name, action, counted, text) [SL_##name] = #name,
const char *const verdict_names[SL_VERDICT_COUNT] = { SL_VERDICTS(VERDICT_NAME) };
#undef VERDICT_NAME

static int find_map(int prog_fd, const char *name, struct bpf_map_info *ret_info)
{
	__u32 ids[MAPS_MAX];
	struct bpf_prog_info prog = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids };
	__u32 size = sizeof(prog);

	if (bpf_obj_get_info_by_fd(prog_fd, &prog, &size))
		return -errno;
	for (__u32 i = 0; i < prog.nr_map_ids && i < MAPS_MAX; i++) {
		_cleanup_(cleanup_close) int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info info = {};

		size = sizeof(info);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			return -errno;
		if (!strcmp(info.name, name)) {
			*ret_info = info;
			return TAKE_FD(fd);
		}
	}
	return -ENOENT;
}

/* Reads a per-CPU array; *ret_values holds n_cpus values for each index. */
static int read_array(int prog_fd, const char *name, size_t value_size, void **ret_values)
{
	struct bpf_map_info info = {};
	_cleanup_(cleanup_close) int fd = find_map(prog_fd, name, &info);
	size_t stride = value_size * libbpf_num_possible_cpus();

	if (fd < 0)
		return fd;
	if (info.type != BPF_MAP_TYPE_PERCPU_ARRAY || info.value_size != value_size)
		return -EPROTO;

	_cleanup_(cleanup_free) char *values = calloc(info.max_entries, stride);

	if (!values)
		return -ENOMEM;
	for (__u32 i = 0; i < info.max_entries; i++)
		if (bpf_map_lookup_elem(fd, &i, values + i * stride))
			return -errno;
	*ret_values = TAKE_PTR(values);
	return info.max_entries;
}

/* Packets of each index, both directions; returns how many indices, or -errno. */
static int read_stats(int prog_fd, const char *name, __u64 **ret_packets)
{
	_cleanup_(cleanup_free) struct sl_stats *stats = NULL;
	int n = read_array(prog_fd, name, sizeof(*stats), (void **)&stats);
	size_t n_cpus = libbpf_num_possible_cpus();

	if (n < 0)
		return n;

	__u64 *packets = calloc(n, sizeof(*packets));

	if (!packets)
		return -ENOMEM;
	for (size_t i = 0; i < n * n_cpus; i++)
		packets[i / n_cpus] += stats[i].packets + stats[i].reply_packets;
	*ret_packets = packets;
	return n;
}

static int read_verdicts(int prog_fd, __u64 *verdicts)
{
	_cleanup_(cleanup_free) struct sl_count *counts = NULL;
	int n = read_array(prog_fd, "sl_verdicts", sizeof(*counts), (void **)&counts);
	size_t n_cpus = libbpf_num_possible_cpus();

	if (n < 0)
		return n;
	if (n != SL_VERDICT_COUNT)
		return -EPROTO;
	for (size_t i = 0; i < n * n_cpus; i++)
		verdicts[i / n_cpus] += counts[i].packets;
	return 0;
}

int counters_read(int prog_fd, struct diag *diag, struct counters *ret_counters)
{
	struct counters counters = {};
	_cleanup_(cleanup_free) __u64 *services = NULL;
	_cleanup_(cleanup_free) __u64 *backends = NULL;
	int error = read_verdicts(prog_fd, counters.verdicts);

	if (error)
		return diag_set(diag, -error, "cannot read sl_verdicts: %s", strerror(-error));

	int n_services = read_stats(prog_fd, "sl_service_stat", &services);

	if (n_services < 0)
		return diag_set(diag, -n_services, "cannot read sl_service_stat: %s",
				strerror(-n_services));

	int n_backends = read_stats(prog_fd, "sl_backend_stat", &backends);

	if (n_backends < 0)
		return diag_set(diag, -n_backends, "cannot read sl_backend_stat: %s",
				strerror(-n_backends));
	for (int i = 0; i < n_services; i++)
		counters.services += services[i];
	counters.n_backends = n_backends;
	counters.backends = TAKE_PTR(backends);
	*ret_counters = counters;
	return 0;
}

void counters_done(struct counters *counters)
{
	free(counters->backends);
	*counters = (struct counters){};
}

size_t counters_backends_used(const struct counters *before, const struct counters *after)
{
	size_t used = 0;

	for (size_t i = 0; i < before->n_backends && i < after->n_backends; i++)
		used += after->backends[i] > before->backends[i];
	return used;
}
