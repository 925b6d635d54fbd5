// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/stats.h"

#include <string.h>

#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "lib/balance/plan.h"

static void add(struct sl_stats *sum, const struct sl_stats *stats)
{
	sum->packets += stats->packets;
	sum->bytes += stats->bytes;
	sum->connections += stats->connections;
	sum->dropped_packets += stats->dropped_packets;
	sum->dropped_bytes += stats->dropped_bytes;
	sum->reply_packets += stats->reply_packets;
	sum->reply_bytes += stats->reply_bytes;
	sum->refused_packets += stats->refused_packets;
}

struct sl_stats stats_of_address(const struct service *service, size_t address)
{
	struct sl_key key = plan_service_key(service->config, &service->config->addresses[address]);
	struct sl_stats stats;

	if (datapath_service_stats(service->balancer->datapath, &key, &stats))
		stats = (struct sl_stats){};
	return stats;
}

struct sl_stats stats_of_service(const struct service *service)
{
	struct sl_stats sum = {};

	for (size_t i = 0; i < service->config->n_addresses; i++) {
		struct sl_stats stats = stats_of_address(service, i);

		add(&sum, &stats);
	}
	return sum;
}

struct sl_stats stats_of_backend(const struct backend *backend)
{
	const struct datapath *datapath = backend->service->balancer->datapath;
	struct sl_key backend_key = plan_backend_key(backend->service->config, backend->config);
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	size_t n = service_keys(backend->service, keys);
	struct sl_stats stats, sum = {};

	for (size_t i = 0; i < n; i++)
		if (!datapath_backend_stats(datapath, &keys[i], &backend_key, &stats))
			add(&sum, &stats);
	return sum;
}

unsigned stats_live_connections(const struct backend *backend)
{
	const struct datapath *datapath = backend->service->balancer->datapath;
	struct sl_key backend_key = plan_backend_key(backend->service->config, backend->config);
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	size_t n = service_keys(backend->service, keys);
	unsigned live = 0;

	for (size_t i = 0; i < n; i++)
		live += datapath_backend_live(datapath, &keys[i], &backend_key);
	return live;
}

void stats_of_verdicts(const struct balancer *balancer,
		       struct sl_count ret_counts[static SL_VERDICT_COUNT])
{
	if (datapath_verdicts(balancer->datapath, ret_counts))
		memset(ret_counts, 0, SL_VERDICT_COUNT * sizeof(*ret_counts));
}

struct datapath_flow_stats stats_of_flows(const struct balancer *balancer)
{
	return datapath_flow_stats(balancer->datapath);
}

bool stats_seed_is_public(const struct balancer *balancer)
{
	return datapath_hash_seed(balancer->datapath) == SL_DEFAULT_HASH_SEED;
}
