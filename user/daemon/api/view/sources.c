/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limited sources as JSON. Only reads. A limit per service has one row, whose source is
 * "all".
 */
#include <stdbool.h>
#include <string.h>

#include "daemon/api/view/limit_rows.h"
#include "daemon/api/view/limits.h"
#include "daemon/api/view/parts.h"
#include "daemon/api/view/prefix_match.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "daemon/limits/buckets.h"
#include "daemon/limits/running.h"
#include "lib/base/cleanup.h"
#include "lib/base/rank.h"
#include "lib/base/yield.h"
#include "lib/config/config.h"
#include "lib/limit/limit.h"
#include "sluice/gcra.h"

#define LATELY_MS (10 * 60 * 1000ULL)

/* ---- one row ----------------------------------------------------------- */

static json_t *view_source_name(const struct running_limit *limit, const struct sl_source *key)
{
	struct prefix prefix = {
		.ip = { .addr = key->addr, .family = (__u8)key->family },
		.bits = key->family == SL_FAMILY_IPV4 ? limit->config->prefix_v4
						      : limit->config->prefix_v6,
	};

	return limit->config->per_service ? json_string(VIEW_ALL_SOURCES) : view_prefix(&prefix);
}

/* When its refusals began, how many there were, and when the last one was; null where there
 * were none.
 */
static json_t *view_refusals(const struct sl_bucket *bucket, const struct moment *now)
{
	unsigned long long age = moment_age_ms(now, bucket->over);

	if (!bucket->over)
		return json_pack("{s:I, s:n, s:n, s:n}", "refused", (json_int_t)0, "since",
				 "since_s", "last_s");
	return json_pack("{s:I, s:o, s:I, s:I}", "refused", (json_int_t)bucket->refused, "since",
			 view_time(now->wall_ms > age ? now->wall_ms - age : 0), "since_s",
			 (json_int_t)(age / 1000), "last_s",
			 (json_int_t)(moment_age_ms(now, bucket->last) / 1000));
}

static json_t *view_row(const struct running_limit *limit, const struct source *source,
			const struct moment *now)
{
	struct limit_state state = limit_state(limit->wire, &source->bucket, sl_ticks(now->ns));
	json_t *row = json_pack(
		"{s:s, s:i, s:o, s:o, s:s, s:b, s:I, s:I, s:f, s:s}", "service",
		limit->service->config->name, "number", (int)limit->number, "source",
		view_source_name(limit, &source->key), "rate", view_text(limit->config->text),
		"count", config_count_name(limit->config->count), "dry_run", limit->config->dry_run,
		"limit", (json_int_t)state.limit, "remaining", (json_int_t)state.remaining,
		"resets_in_ms", (double)(state.reset_ns / 1000) / 1000, "state",
		moment_is_over(now, &source->bucket) ? "over" : "within");

	return view_merge(row, view_refusals(&source->bucket, now));
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

/* Of one service: every bucket. Of all services: those of sources that are over a limit,
 * or were lately.
 */
static bool is_wanted(const struct buckets *buckets, const struct source *source,
		      const struct service *service)
{
	const struct running_limit *limit = running_find(&buckets->running, source->key.id);

	if (!limit || limit->wire->id != source->key.id)
		return false;
	if (service)
		return limit->service == service;
	return source->bucket.over && moment_age_ms(&buckets->now, source->bucket.last) < LATELY_MS;
}

/* "sources" and "more" of an answer. */
static json_t *view_ranked(const struct buckets *buckets, const struct service *service,
			   size_t rows)
{
	const void *items[VIEW_ROWS_MAX];
	struct view_rank rank = { .compare = compare_refused, .items = items, .max = rows };
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < buckets->n; i++) {
		if (is_wanted(buckets, &buckets->all[i], service))
			view_rank_offer(&rank, &buckets->all[i]);
		yield_point();
	}
	view_rank_sort(&rank);
	for (size_t i = 0; i < rank.n; i++) {
		const struct source *source = rank.items[i];
		const struct running_limit *limit = running_find(&buckets->running, source->key.id);

		if (json_array_append_new(array, view_row(limit, source, &buckets->now)) < 0)
			return NULL;
	}
	return json_pack("{s:o, s:I}", "sources", TAKE_PTR(array), "more",
			 (json_int_t)rank.left_out);
}

json_t *view_service_limits(const struct service *service, size_t rows)
{
	_cleanup_(buckets_done) struct buckets buckets = {};
	json_t *json;

	if (buckets_read(service->balancer, &buckets) < 0)
		return NULL;
	json = json_pack("{s:s, s:o}", "service", service->config->name, "limits",
			 view_limit_rows(&buckets.running, service));
	return view_merge(json, view_ranked(&buckets, service, rows));
}

json_t *view_sources(const struct balancer *balancer, size_t rows)
{
	_cleanup_(buckets_done) struct buckets buckets = {};

	return buckets_read(balancer, &buckets) < 0 ? NULL : view_ranked(&buckets, NULL, rows);
}

/* ---- one address ------------------------------------------------------- */

static json_t *view_limit_of(const struct running_limit *limit, const struct ip *ip,
			     const struct moment *now)
{
	const struct prefix *exempt = view_longest(&limit->config->exempt, ip);
	struct source source;
	bool has_bucket = buckets_find(limit, ip, now, &source);
	_cleanup_(json_decrefp) json_t *row = view_row(limit, &source, now);

	if (exempt && json_object_set_new(row, "state", json_string("exempt")) < 0)
		return NULL;
	return view_merge(TAKE_PTR(row), json_pack("{s:b, s:o}", "bucket", has_bucket, "exempt",
						   exempt ? view_prefix(exempt) : json_null()));
}

json_t *view_source(const struct balancer *balancer, const struct ip *ip)
{
	_cleanup_(running_done) struct running running = {};
	struct moment now = moment_now();
	_cleanup_(json_decrefp) json_t *rows = json_array();
	size_t more = 0;

	if (running_make(balancer, &running) < 0)
		return NULL;
	for (size_t i = 0; i < running.n; i++) {
		const struct running_limit *limit = &running.limits[i];

		if (!limit->wire || !service_has_family(limit->service, ip->family))
			continue;
		if (json_array_size(rows) == VIEW_ROWS_MAX)
			more++;
		else if (json_array_append_new(rows, view_limit_of(limit, ip, &now)) < 0)
			return NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:I}", "address", view_ip(ip), "denied",
			 view_denials(balancer, ip), "limits", TAKE_PTR(rows), "more",
			 (json_int_t)more);
}
