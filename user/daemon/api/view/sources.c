/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limited sources as JSON. Only reads. Of a limit per service there is one row,
 * whose source is all of them.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/api/view/limit_rows.h"
#include "daemon/api/view/limits.h"
#include "daemon/api/view/parts.h"
#include "daemon/api/view/prefix_match.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/datapath/sources.h"
#include "daemon/limits/running.h"
#include "lib/base/cleanup.h"
#include "lib/base/rank.h"
#include "lib/config/config.h"
#include "lib/limit/limit.h"
#include "sluice/gcra.h"

#define LATELY_MS (10 * 60 * 1000ULL)

/* ---- one row ----------------------------------------------------------- */

static json_t *view_source_name(const struct view_limit *limit, const struct sl_source *key)
{
	struct prefix prefix = {
		.ip = { .addr = key->addr, .family = (__u8)key->family },
		.bits = key->family == SL_FAMILY_IPV4 ? limit->config->prefix_v4
						      : limit->config->prefix_v6,
	};

	return limit->config->per_service ? json_string(VIEW_ALL_SOURCES) : view_prefix(&prefix);
}

/* When its refusals began, and what has come of them; null where there were none. */
static json_t *view_refusals(const struct sl_bucket *bucket, const struct view_moment *now)
{
	unsigned long long age = view_age_ms(now, bucket->over);

	if (!bucket->over)
		return json_pack("{s:I, s:n, s:n, s:n}", "refused", (json_int_t)0, "since",
				 "since_s", "last_s");
	return json_pack("{s:I, s:o, s:I, s:I}", "refused", (json_int_t)bucket->refused, "since",
			 view_time(now->wall_ms > age ? now->wall_ms - age : 0), "since_s",
			 (json_int_t)(age / 1000), "last_s",
			 (json_int_t)(view_age_ms(now, bucket->last) / 1000));
}

static json_t *view_row(const struct view_limit *limit, const struct source *source,
			const struct view_moment *now)
{
	struct limit_state state = limit_state(limit->wire, &source->bucket, sl_ticks(now->ns));
	json_t *row = json_pack(
		"{s:s, s:i, s:o, s:o, s:s, s:b, s:I, s:I, s:f, s:s}", "service",
		limit->service->config->name, "number", (int)limit->number, "source",
		view_source_name(limit, &source->key), "rate", view_text(limit->config->text),
		"count", config_count_name(limit->config->count), "dry_run", limit->config->dry_run,
		"limit", (json_int_t)state.limit, "remaining", (json_int_t)state.remaining,
		"resets_in_ms", (double)(state.reset_ns / 1000) / 1000, "state",
		view_is_over(now, &source->bucket) ? "over" : "within");

	if (json_object_update_new(row, view_refusals(&source->bucket, now)) < 0)
		return json_decref(row), NULL;
	return row;
}

/* ---- many rows --------------------------------------------------------- */

static int compare_refused(const void *a, const void *b)
{
	const struct source *left = a, *right = b;

	if (left->bucket.refused != right->bucket.refused)
		return left->bucket.refused > right->bucket.refused ? -1 : 1;
	if (left->bucket.last != right->bucket.last)
		return left->bucket.last > right->bucket.last ? -1 : 1;
	return memcmp(&left->key, &right->key, sizeof(left->key));
}

/* All buckets, those of limits per service behind those of sources. */
struct all_sources {
	struct view_limit_table table;
	struct source *sources;
	size_t n;
	struct view_moment now;
};

static void free_all(struct all_sources *all)
{
	view_limit_table_done(&all->table);
	free(all->sources);
}

static int add_totals(struct all_sources *all, const struct datapath *datapath)
{
	struct source *sources =
		reallocarray(all->sources, all->n + all->table.n + 1, sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	all->sources = sources;
	for (size_t i = 0; i < all->table.n; i++) {
		const struct view_limit *limit = &all->table.limits[i];

		if (limit->wire && limit->config->per_service)
			sources[all->n++] = (struct source){
				.key.id = limit->wire->id,
				.bucket = datapath_limit_total(datapath, limit->index),
			};
	}
	return 0;
}

static int read_all(const struct balancer *balancer, struct all_sources *ret_all)
{
	_cleanup_(free_all) struct all_sources all = {};
	int error = view_limit_table_make(balancer, &all.table);

	if (!error)
		error = datapath_sources(balancer->datapath, &all.sources, &all.n);
	if (error)
		return error;
	view_count_buckets(&all.table, all.sources, all.n);
	error = add_totals(&all, balancer->datapath);
	if (error)
		return error;
	all.now = view_now();
	*ret_all = all;
	all = (struct all_sources){};
	return 0;
}

/* Of one service: every bucket. Of all: who is over, or was lately. */
static bool is_wanted(const struct all_sources *all, const struct source *source,
		      const struct service *service)
{
	const struct view_limit *limit = view_limit_table_find(&all->table, source->key.id);

	if (!limit || limit->wire->id != source->key.id)
		return false;
	if (service)
		return limit->service == service;
	return source->bucket.over && view_age_ms(&all->now, source->bucket.last) < LATELY_MS;
}

/* "sources" and "more" of an answer. */
static json_t *view_ranked(const struct all_sources *all, const struct service *service,
			   size_t rows)
{
	const void *items[VIEW_ROWS_MAX];
	struct view_rank rank = { .compare = compare_refused, .items = items, .max = rows };
	json_t *array = json_array();

	for (size_t i = 0; i < all->n; i++)
		if (is_wanted(all, &all->sources[i], service))
			view_rank_offer(&rank, &all->sources[i]);
	view_rank_sort(&rank);
	for (size_t i = 0; i < rank.n; i++) {
		const struct source *source = rank.items[i];
		const struct view_limit *limit = view_limit_table_find(&all->table, source->key.id);

		if (json_array_append_new(array, view_row(limit, source, &all->now)) < 0)
			return json_decref(array), NULL;
	}
	return json_pack("{s:o, s:I}", "sources", array, "more", (json_int_t)rank.left_out);
}

json_t *view_service_limits(const struct service *service, size_t rows)
{
	_cleanup_(free_all) struct all_sources all = {};
	json_t *json;

	if (read_all(service->balancer, &all) < 0)
		return NULL;
	json = json_pack("{s:s, s:o}", "service", service->config->name, "limits",
			 view_limit_rows(&all.table, service));
	if (json_object_update_new(json, view_ranked(&all, service, rows)) < 0)
		return json_decref(json), NULL;
	return json;
}

json_t *view_sources(const struct balancer *balancer, size_t rows)
{
	_cleanup_(free_all) struct all_sources all = {};

	return read_all(balancer, &all) < 0 ? NULL : view_ranked(&all, NULL, rows);
}

/* ---- one address ------------------------------------------------------- */

/* The bucket that the program would go by: its own, or what is left of the one
 * of the generation before. False: it has none, and owes at most the gate's
 * share.
 */
static bool find_bucket(const struct view_limit *limit, const struct ip *ip,
			const struct view_moment *now, struct source *ret_source)
{
	const struct datapath *datapath = limit->service->balancer->datapath;
	struct sl_bucket *bucket = &ret_source->bucket;
	unsigned long long ticks = sl_ticks(now->ns);
	bool is_token_bucket = limit->config->algorithm == SL_ALGORITHM_TOKEN_BUCKET;
	__u32 second = (__u32)(now->ns >> SL_SECOND_SHIFT);
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
	*bucket = (struct sl_bucket){};
	if (older.id && (__s32)(limit->wire->replaced_until - second) > 0 &&
	    datapath_source(datapath, &older, bucket) == 0) {
		if (is_token_bucket)
			bucket->state[0] = sl_gcra_convert(limit->wire, bucket->state[0], ticks);
		return true;
	}
	/* Whoever owed more would have been sent to a bucket. */
	if (is_token_bucket)
		bucket->state[0] = ticks + limit->wire->gate_depth;
	return false;
}

static json_t *view_limit_of(const struct view_limit *limit, const struct ip *ip,
			     const struct view_moment *now)
{
	const struct prefix *exempt = view_longest(&limit->config->exempt, ip);
	struct source source;
	bool has_bucket = find_bucket(limit, ip, now, &source);
	json_t *row = view_row(limit, &source, now);
	json_t *rest = json_pack("{s:b, s:o}", "bucket", has_bucket, "exempt",
				 exempt ? view_prefix(exempt) : json_null());

	if (exempt && json_object_set_new(row, "state", json_string("exempt")) < 0)
		return json_decref(row), json_decref(rest), NULL;
	if (json_object_update_new(row, rest) < 0)
		return json_decref(row), NULL;
	return row;
}

json_t *view_source(const struct balancer *balancer, const struct ip *ip)
{
	_cleanup_(view_limit_table_done) struct view_limit_table table = {};
	struct view_moment now = view_now();
	json_t *rows;
	size_t more = 0;

	if (view_limit_table_make(balancer, &table) < 0)
		return NULL;
	rows = json_array();
	for (size_t i = 0; i < table.n; i++) {
		const struct view_limit *limit = &table.limits[i];

		if (!limit->wire || !view_has_family(limit->service->config, ip->family))
			continue;
		if (json_array_size(rows) == VIEW_ROWS_MAX)
			more++;
		else if (json_array_append_new(rows, view_limit_of(limit, ip, &now)) < 0)
			return json_decref(rows), NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:I}", "address", view_ip(ip), "denied",
			 view_denials(balancer, ip), "limits", rows, "more", (json_int_t)more);
}
