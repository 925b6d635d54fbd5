// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/write_limit.h"

#include "lib/base/units.h"
#include "lib/config/compare.h"
#include "lib/config/config.h"
#include "lib/config/read.h"
#include "lib/config/yaml_emit.h"

#define LINE_ITEMS_MAX 8 /* of a list that stands in one line */

/* Counts from 1 on, each of its own line where they are many. */
static enum layout layout_of(const struct prefix_list *list)
{
	return list->n_written + list->n_files > LINE_ITEMS_MAX ? LAYOUT_BLOCK : LAYOUT_FLOW;
}

static void write_prefixes(struct emit *emit, const char *key, const struct prefix_list *list)
{
	char text[PREFIX_TEXT_SIZE];

	if (!list->n_written && !list->n_files)
		return;
	emit_text(emit, key);
	emit_list(emit, layout_of(list));
	for (size_t i = 0; i < list->n_written; i++) {
		const struct prefix *prefix = &list->written[i];

		emit_text(emit, prefix_is_address(prefix) ? ip_format(&prefix->ip, text)
							  : prefix_format(prefix, text));
	}
	for (size_t i = 0; i < list->n_files; i++) {
		emit_map(emit, LAYOUT_FLOW);
		emit_pair(emit, "file", "%s", list->files[i]);
		emit_map_end(emit);
	}
	emit_list_end(emit);
}

void write_access(struct emit *emit, const struct access_config *access)
{
	write_prefixes(emit, "allow", &access->allow);
	write_prefixes(emit, "deny", &access->deny);
}

static void write_limit(struct emit *emit, const struct limit_config *limit)
{
	struct limit_config defaults = config_default_limit();

	emit_map(emit, layout_of(&limit->exempt));
	emit_pair(emit, "rate", "%s", limit->text);
	if (limit->burst != config_default_burst(limit))
		emit_count(emit, "burst", limit->burst);
	if (limit->count != defaults.count)
		emit_pair(emit, "count", "%s", config_count_name(limit->count));
	if (limit->algorithm != defaults.algorithm)
		emit_pair(emit, "algorithm", "%s", config_algorithm_name(limit->algorithm));
	if (limit->per_service)
		emit_pair(emit, "per", "service");
	if (limit->prefix_v4 != defaults.prefix_v4)
		emit_pair(emit, "prefix_v4", "%u", limit->prefix_v4);
	if (limit->prefix_v6 != defaults.prefix_v6)
		emit_pair(emit, "prefix_v6", "%u", limit->prefix_v6);
	if (limit->action != defaults.action)
		emit_pair(emit, "action", "%s", config_action_name(limit->action));
	if (limit->dry_run)
		emit_pair(emit, "dry_run", "true");
	if (limit->pressure_refuses)
		emit_pair(emit, "under_pressure", "refuse");
	write_prefixes(emit, "exempt", &limit->exempt);
	emit_map_end(emit);
}

void write_limits(struct emit *emit, const struct service_config *service)
{
	if (!service->n_limits)
		return;
	emit_text(emit, "limit");
	if (service->n_limits > 1)
		emit_list(emit, LAYOUT_BLOCK);
	for (size_t i = 0; i < service->n_limits; i++)
		write_limit(emit, &service->limits[i]);
	if (service->n_limits > 1)
		emit_list_end(emit);
}

void write_respond(struct emit *emit, const struct respond_config *respond)
{
	struct respond_config defaults = config_default_respond();

	if (config_respond_equal(respond, &defaults))
		return;
	emit_text(emit, "respond");
	emit_map(emit, LAYOUT_FLOW);
	if (respond->body) {
		emit_text(emit, "body"); /* longer than emit_pair() takes */
		emit_text(emit, respond->body);
	}
	if (respond->content_type)
		emit_pair(emit, "content_type", "%s", respond->content_type);
	if (respond->x_headers)
		emit_pair(emit, "x_headers", "true");
	if (respond->retry_after_ms != defaults.retry_after_ms)
		emit_duration(emit, "retry_after", respond->retry_after_ms);
	emit_map_end(emit);
}

static void write_pace(struct emit *emit, const char *key, unsigned per_second)
{
	char text[COUNT_TEXT_SIZE];

	emit_pair(emit, key, "%s/s", count_format(per_second, text));
}

void write_limiter(struct emit *emit, const struct limiter_config *limiter)
{
	struct limiter_config defaults = config_default_limiter();

	if (config_limiter_equal(limiter, &defaults))
		return;
	emit_text(emit, "limiter");
	emit_map(emit, LAYOUT_FLOW);
	if (limiter->buckets != defaults.buckets)
		emit_count(emit, "buckets", limiter->buckets);
	if (limiter->gate != defaults.gate)
		emit_pair(emit, "gate", "%u", limiter->gate);
	if (limiter->inserts_per_second != defaults.inserts_per_second)
		write_pace(emit, "inserts", limiter->inserts_per_second);
	if (limiter->refusals_per_second != defaults.refusals_per_second)
		write_pace(emit, "answers", limiter->refusals_per_second);
	if (limiter->events_per_second != defaults.events_per_second)
		write_pace(emit, "events", limiter->events_per_second);
	emit_map_end(emit);
}
