// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

_Static_assert(sizeof(struct sl_limit_stats) == sizeof(struct sl_stats), "one reset for both");

int counters_sum(const struct map *map, unsigned index, size_t n, __u64 *ret_sums)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(cleanup_free) __u64 *values = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus * n, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map->fd, &index, values))
		return -errno;
	memset(ret_sums, 0, n * sizeof(*ret_sums));
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < n; i++)
			ret_sums[i] += values[(size_t)cpu * n + i];
	return 0;
}

void counters_reset(const struct map *map, unsigned index)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(cleanup_free) struct sl_stats *zeros =
		cpus < 0 ? NULL : calloc((size_t)cpus, sizeof(*zeros));

	if (zeros)
		(void)bpf_map_update_elem(map->fd, &index, zeros, BPF_ANY);
}
