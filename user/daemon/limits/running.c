// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/limits/running.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "daemon/datapath/sources.h"
#include "lib/base/yield.h"
#include "sluice/abi.h"

static int compare_ids(const void *a, const void *b)
{
	const struct running_id *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static void add_id(struct running *running, __u32 id, struct running_limit *limit)
{
	if (id)
		running->ids[running->n_ids++] = (struct running_id){ id, limit };
}

static size_t count_limits(const struct balancer *balancer)
{
	size_t n = 0;

	for (size_t i = 0; i < balancer->config->n_services; i++)
		n += balancer->config->services[i].n_limits;
	return n;
}

int running_make(const struct balancer *balancer, struct running *ret_running)
{
	size_t n = count_limits(balancer);
	struct running running = {
		.limits = calloc(n + 1, sizeof(*running.limits)),
		.ids = calloc(2 * n + 1, sizeof(*running.ids)),
	};

	if (!running.limits || !running.ids) {
		running_done(&running);
		return -ENOMEM;
	}
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		const struct service *service = balancer->services[i];

		for (unsigned k = 0; k < service->config->n_limits; k++) {
			struct running_limit *limit = &running.limits[running.n++];

			limit->service = service;
			limit->config = &service->config->limits[k];
			limit->number = k + 1;
			limit->wire = service_limit(service, limit->number, &limit->index);
			if (!limit->wire)
				continue;
			add_id(&running, limit->wire->id, limit);
			add_id(&running, limit->wire->replaced, limit);
		}
	}
	qsort(running.ids, running.n_ids, sizeof(*running.ids), compare_ids);
	*ret_running = running;
	return 0;
}

void running_done(struct running *running)
{
	free(running->limits);
	free(running->ids);
}

struct running_limit *running_find(const struct running *running, __u32 id)
{
	const struct running_id key = { id, NULL };
	const struct running_id *found =
		bsearch(&key, running->ids, running->n_ids, sizeof(key), compare_ids);

	return found ? found->limit : NULL;
}

void running_count(const struct running *running, const struct source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct running_limit *limit = running_find(running, sources[i].key.id);

		yield_point();
		if (!limit)
			continue;
		if (sources[i].key.id == limit->wire->id)
			limit->buckets++;
		else
			limit->older++;
	}
}

int running_stats(const struct running_limit *limit, struct sl_limit_stats *ret_stats,
		  unsigned long long *ret_evicted)
{
	const struct datapath *datapath = limit->service->balancer->datapath;
	unsigned long long present = limit->buckets + limit->older;
	struct sl_limit_stats stats;
	int error = limit->wire ? datapath_limit_stats(datapath, limit->index, &stats) : -ENOENT;

	if (error)
		return error;
	*ret_evicted = stats.inserted > present ? stats.inserted - present : 0;
	*ret_stats = stats;
	return 0;
}
