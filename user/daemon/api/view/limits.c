/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits as JSON: their settings and their counters. Only reads.
 */
#include "daemon/api/view/limits.h"

#include <stdbool.h>

#include "daemon/api/view/limit_rows.h"
#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/limits/buckets.h"
#include "daemon/limits/running.h"
#include "lib/base/cleanup.h"
#include "lib/limit/limit.h"

/* Null where the limit is not in the maps. */
static json_t *view_limit_stats(const struct running_limit *limit)
{
	struct sl_limit_stats stats;
	unsigned long long evicted;

	if (running_stats(limit, &stats, &evicted) < 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "gate",
			 (json_int_t)stats.gate, "bucket", (json_int_t)stats.bucket, "refused",
			 (json_int_t)stats.refused, "answered", (json_int_t)stats.answered,
			 "exempt", (json_int_t)stats.exempt, "pressure", (json_int_t)stats.pressure,
			 "inserted", (json_int_t)stats.inserted, "evicted", (json_int_t)evicted,
			 "unheard", (json_int_t)stats.unheard);
}

static json_t *view_limit_row(const struct running_limit *limit)
{
	bool counted = limit->wire && !limit->config->per_service;
	json_t *row = json_pack("{s:s, s:i, s:o, s:o}", "service", limit->service->config->name,
				"number", (int)limit->number, "sources",
				counted ? json_integer((json_int_t)limit->buckets) : json_null(),
				"stats", view_limit_stats(limit));

	return view_merge(row, view_limit_config(limit->config));
}

json_t *view_limit_rows(const struct running *running, const struct service *service)
{
	_cleanup_(json_decrefp) json_t *rows = json_array();

	for (size_t i = 0; i < running->n; i++) {
		if (service && running->limits[i].service != service)
			continue;
		if (json_array_append_new(rows, view_limit_row(&running->limits[i])) < 0)
			return NULL;
	}
	return TAKE_PTR(rows);
}

json_t *view_limits(const struct balancer *balancer)
{
	_cleanup_(buckets_done) struct buckets buckets = {};

	if (buckets_read(balancer, &buckets) < 0)
		return NULL;
	return json_pack("{s:o, s:I}", "limits", view_limit_rows(&buckets.running, NULL), "buckets",
			 (json_int_t)buckets.n_sources);
}

json_t *view_limit_config(const struct limit_config *limit)
{
	bool has_burst = limit_has_burst(limit->algorithm);
	bool shared = limit->per_service;

	return json_pack(
		"{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:I}", "rate",
		view_text(limit->text), "burst",
		has_burst ? json_integer((json_int_t)limit->burst) : json_null(), "count",
		config_count_name(limit->count), "algorithm",
		config_algorithm_name(limit->algorithm), "per", shared ? "service" : "source",
		"prefix_v4", shared ? json_null() : json_integer(limit->prefix_v4), "prefix_v6",
		shared ? json_null() : json_integer(limit->prefix_v6), "action",
		config_action_name(limit->action), "dry_run", limit->dry_run, "under_pressure",
		shared ? json_null() : json_string(limit->pressure_refuses ? "refuse" : "admit"),
		"exempt", (json_int_t)limit->exempt.n);
}
