// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/limits/buckets.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/balancer.h"
#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/limit/inherit.h"
#include "lib/limit/limit.h"
#include "sluice/gcra.h"
#include "sluice/second.h"

void buckets_done(struct buckets *buckets)
{
	running_done(&buckets->running);
	free(buckets->all);
}

static int add_totals(struct buckets *buckets, const struct datapath *datapath)
{
	const struct running *running = &buckets->running;
	struct source *all = reallocarray(buckets->all, buckets->n + running->n + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	buckets->all = all;
	for (size_t i = 0; i < running->n; i++) {
		const struct running_limit *limit = &running->limits[i];

		if (limit->wire && limit->config->per_service)
			all[buckets->n++] = (struct source){
				.key.id = limit->wire->id,
				.bucket = datapath_limit_total(datapath, limit->index),
			};
	}
	return 0;
}

int buckets_read(const struct balancer *balancer, struct buckets *ret_buckets)
{
	_cleanup_(buckets_done) struct buckets buckets = {};
	int error = running_make(balancer, &buckets.running);

	if (!error)
		error = datapath_sources(balancer->datapath, &buckets.all, &buckets.n_sources);
	if (error)
		return error;
	running_count(&buckets.running, buckets.all, buckets.n_sources);
	buckets.n = buckets.n_sources;
	error = add_totals(&buckets, balancer->datapath);
	if (error)
		return error;
	buckets.now = moment_now();
	*ret_buckets = buckets;
	buckets = (struct buckets){};
	return 0;
}

bool buckets_find(const struct running_limit *limit, const struct ip *ip, const struct moment *now,
		  struct source *ret_source)
{
	const struct datapath *datapath = limit->service->balancer->datapath;
	struct sl_bucket *bucket = &ret_source->bucket;
	unsigned long long ticks = sl_ticks(now->ns);
	__u32 second = sl_second(now->ns);
	struct sl_source older;

	*ret_source = (struct source){ .key = limit_source(limit->wire, &ip->addr, ip->family) };
	if (limit->config->per_service) {
		*bucket = datapath_limit_total(datapath, limit->index);
		return true;
	}
	older = ret_source->key;
	older.id = limit->wire->replaced;
	if (datapath_source(datapath, &ret_source->key, bucket) == 0)
		return true;
	if (older.id && sl_second_difference(limit->wire->replaced_until, second) > 0 &&
	    datapath_source(datapath, &older, bucket) == 0) {
		limit_inherit_bucket(limit->wire, bucket, ticks);
		return true;
	}
	/* The gate would have sent a source that owed more to a bucket. */
	*bucket = limit_gate_bucket(limit->wire, ticks);
	return false;
}
