/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits as JSON: how they are set, and what they have done. Only reads.
 */
#include "daemon/api/view/limits.h"

#include <stdbool.h>

#include "daemon/api/view/limit_rows.h"
#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/datapath/sources.h"
#include "daemon/limits/running.h"
#include "lib/base/cleanup.h"

/* What was inserted and is not there any more: the map is one for all limits, and
 * does not say whom it pushed out.
 */
static unsigned long long evicted(const struct view_limit *limit,
				  const struct sl_limit_stats *stats)
{
	unsigned long long present = limit->buckets + limit->older;

	return stats->inserted > present ? stats->inserted - present : 0;
}

/* Null where the limit is not in the maps. */
static json_t *view_limit_stats(const struct view_limit *limit)
{
	const struct balancer *balancer = limit->service->balancer;
	struct sl_limit_stats stats;

	if (!limit->wire || datapath_limit_stats(balancer->datapath, limit->index, &stats) < 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "gate",
			 (json_int_t)stats.gate, "bucket", (json_int_t)stats.bucket, "refused",
			 (json_int_t)stats.refused, "answered", (json_int_t)stats.answered,
			 "exempt", (json_int_t)stats.exempt, "pressure", (json_int_t)stats.pressure,
			 "inserted", (json_int_t)stats.inserted, "evicted",
			 (json_int_t)evicted(limit, &stats), "unheard", (json_int_t)stats.unheard);
}

static json_t *view_limit_row(const struct view_limit *limit)
{
	bool counted = limit->wire && !limit->config->per_service;
	json_t *row = json_pack("{s:s, s:i, s:o, s:o}", "service", limit->service->config->name,
				"number", (int)limit->number, "sources",
				counted ? json_integer((json_int_t)limit->buckets) : json_null(),
				"stats", view_limit_stats(limit));

	if (json_object_update_new(row, view_limit_config(limit->config)) < 0)
		return json_decref(row), NULL;
	return row;
}

json_t *view_limit_rows(const struct view_limit_table *table, const struct service *service)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < table->n; i++) {
		if (service && table->limits[i].service != service)
			continue;
		if (json_array_append_new(rows, view_limit_row(&table->limits[i])) < 0)
			return json_decref(rows), NULL;
	}
	return rows;
}

void view_count_buckets(const struct view_limit_table *table, const struct source *sources,
			size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct view_limit *limit = view_limit_table_find(table, sources[i].key.id);

		if (!limit)
			continue;
		if (sources[i].key.id == limit->wire->id)
			limit->buckets++;
		else
			limit->older++;
	}
}

json_t *view_limits(const struct balancer *balancer)
{
	_cleanup_(view_limit_table_done) struct view_limit_table table = {};
	_cleanup_(cleanup_free) struct source *sources = NULL;
	size_t n;

	if (view_limit_table_make(balancer, &table) < 0 ||
	    datapath_sources(balancer->datapath, &sources, &n) < 0)
		return NULL;
	view_count_buckets(&table, sources, n);
	return json_pack("{s:o, s:I}", "limits", view_limit_rows(&table, NULL), "buckets",
			 (json_int_t)n);
}

json_t *view_limit_config(const struct limit_config *limit)
{
	bool windowed = limit->algorithm != SL_ALGORITHM_TOKEN_BUCKET;
	bool shared = limit->per_service;

	return json_pack(
		"{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:I}", "rate",
		view_text(limit->text), "burst",
		windowed ? json_null() : json_integer((json_int_t)limit->burst), "count",
		config_count_name(limit->count), "algorithm",
		config_algorithm_name(limit->algorithm), "per", shared ? "service" : "source",
		"prefix_v4", shared ? json_null() : json_integer(limit->prefix_v4), "prefix_v6",
		shared ? json_null() : json_integer(limit->prefix_v6), "action",
		config_action_name(limit->action), "dry_run", limit->dry_run, "under_pressure",
		shared ? json_null() : json_string(limit->pressure_refuses ? "refuse" : "admit"),
		"exempt", (json_int_t)limit->exempt.n);
}
