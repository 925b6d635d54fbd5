// SPDX-License-Identifier: BSD-2-Clause
/* Counters: summed over CPUs when read, zeroed when an index changes hands. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"

/* Both kinds of counters are arrays of 64-bit ones. */
#define STATS_COUNTERS (sizeof(struct sl_stats) / sizeof(__u64))
#define COUNT_COUNTERS (sizeof(struct sl_count) / sizeof(__u64))

_Static_assert(sizeof(struct sl_limit_stats) == sizeof(struct sl_stats), "one reset for both");

int stats_sum(const struct datapath *datapath, enum map_name name, unsigned index, size_t n,
	      __u64 *ret_sums)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(cleanup_free) __u64 *values = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus * n, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(datapath->maps.map[name].fd, &index, values))
		return -errno;
	memset(ret_sums, 0, n * sizeof(*ret_sums));
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < n; i++)
			ret_sums[i] += values[(size_t)cpu * n + i];
	return 0;
}

void stats_reset(const struct datapath *datapath, enum map_name name, unsigned index)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(cleanup_free) struct sl_stats *zeros =
		cpus < 0 ? NULL : calloc((size_t)cpus, sizeof(*zeros));

	if (zeros)
		(void)bpf_map_update_elem(datapath->maps.map[name].fd, &index, zeros, BPF_ANY);
}

int datapath_service_stats(const struct datapath *datapath, const struct sl_key *service,
			   struct sl_stats *ret_stats)
{
	const struct installed *installed = installed_find(datapath, service);

	if (!installed)
		return -ENOENT;
	return stats_sum(datapath, MAP_SERVICE_STAT, installed->id, STATS_COUNTERS,
			 (__u64 *)ret_stats);
}

int datapath_backend_stats(const struct datapath *datapath, const struct sl_key *service,
			   const struct sl_key *backend, struct sl_stats *ret_stats)
{
	const struct installed *installed = installed_find(datapath, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;

	if (!found)
		return -ENOENT;
	return stats_sum(datapath, MAP_BACKEND_STAT, found->index, STATS_COUNTERS,
			 (__u64 *)ret_stats);
}

int datapath_verdicts(const struct datapath *datapath,
		      struct sl_count ret_counts[static SL_VERDICT_COUNT])
{
	for (unsigned i = 0; i < SL_VERDICT_COUNT; i++) {
		int error = stats_sum(datapath, MAP_VERDICTS, i, COUNT_COUNTERS,
				      (__u64 *)&ret_counts[i]);

		if (error)
			return error;
	}
	return 0;
}

struct datapath_flow_stats datapath_flow_stats(const struct datapath *datapath)
{
	struct datapath_flow_stats stats = { .tracked = datapath->n_flows };
	struct hash_node *node = NULL;

	while ((node = hashtable_next(&datapath->installed, node)))
		stats.slots_in_transition +=
			HASH_ENTRY(node, const struct installed, node)->n_tracking;
	return stats;
}

unsigned datapath_backend_live(const struct datapath *datapath, const struct sl_key *service,
			       const struct sl_key *backend)
{
	const struct installed *installed = installed_find(datapath, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;
	__u32 live = found ? datapath->maps.loads[found->index].live : 0;

	return (__s32)live > 0 ? live : 0;
}
