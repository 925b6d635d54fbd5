/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Services and attachments as JSON. Only reads.
 */
#include "daemon/api/view/view.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/api/view/parts.h"
#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "lib/base/cleanup.h"
#include "lib/base/prefix.h"
#include "lib/base/yield.h"

json_t *view_attachment(const struct attachment *attachment)
{
	const bool runs = attachment->state == ATTACHMENT_RUNS;

	return json_pack(
		"{s:o, s:o, s:s, s:o, s:o, s:b, s:b}", "name", view_text(attachment->name),
		"ifindex", attachment->ifindex ? json_integer(attachment->ifindex) : json_null(),
		"state", attachment_state_name(attachment->state), "mode",
		runs ? json_string(config_mode_name(attachment->mode)) : json_null(), "program_id",
		runs ? json_integer(attachment->program_id) : json_null(), "adopted",
		runs && attachment->adopted, "shared", runs && attachment->shared);
}

/* ---- backends ---------------------------------------------------------- */

/* Takes the reference of value; true unless there was no memory for it. */
static bool append(json_t *array, json_t *value)
{
	yield_point();
	return json_array_append_new(array, value) == 0;
}

static json_t *view_service_backends(const struct service *service)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < service->config->n_backends; i++)
		if (!append(array, view_backend(&service->backends[i])))
			return NULL;
	return TAKE_PTR(array);
}

json_t *view_backends(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < balancer->config->n_services; i++) {
		const struct service *service = balancer->services[i];

		for (size_t k = 0; k < service->config->n_backends; k++)
			if (!append(array, view_backend(&service->backends[k])))
				return NULL;
	}
	return json_pack("{s:o}", "backends", TAKE_PTR(array));
}

/* ---- services ---------------------------------------------------------- */

static const char *state_name(enum service_state state)
{
	switch (state) {
	case SERVICE_OK:
		return "ok";
	case SERVICE_DEGRADED:
		return "degraded";
	case SERVICE_DOWN:
		return "down";
	}
	return "unknown";
}

json_t *view_service_row(const struct service *service)
{
	const struct service_config *config = service->config;
	_cleanup_(json_decrefp) json_t *addresses = json_array();
	_cleanup_(json_decrefp) json_t *row = NULL;

	for (size_t i = 0; i < config->n_addresses; i++)
		if (!append(addresses, view_ip(&config->addresses[i])))
			return NULL;
	row = json_pack("{s:s, s:o, s:i, s:s, s:s, s:s, s:I, s:I}", "name", config->name,
			"addresses", TAKE_PTR(addresses), "port", ntohs(config->port), "protocol",
			config_proto_name(config->proto), "forward",
			config_forward_name(config->forward), "state",
			state_name(service_state(service)), "backends_total",
			(json_int_t)config->n_backends, "backends_serving",
			(json_int_t)service_serving(service));
	if (row && service->error[0] &&
	    json_object_set_new(row, "error", view_text(service->error)) < 0)
		return NULL;
	return TAKE_PTR(row);
}

json_t *view_services(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < balancer->config->n_services; i++)
		if (!append(array, view_service_row(balancer->services[i])))
			return NULL;
	return json_pack("{s:o}", "services", TAKE_PTR(array));
}

/* "200-299, 404" */
static json_t *view_status_ranges(const struct check_config *check)
{
	char text[CONFIG_STATUS_RANGES * sizeof(", 200-299")] = "";
	size_t used = 0;

	for (size_t i = 0; i < check->n_status; i++) {
		const struct status_range *range = &check->status[i];
		int n = range->first == range->last
				? snprintf(text + used, sizeof(text) - used, "%s%u", i ? ", " : "",
					   range->first)
				: snprintf(text + used, sizeof(text) - used, "%s%u-%u",
					   i ? ", " : "", range->first, range->last);

		used += (size_t)n;
	}
	return json_string(text);
}

static json_t *view_check(const struct check_config *check)
{
	json_t *json = json_pack("{s:s}", "type", config_check_name(check->type));

	if (check->type == CHECK_NONE)
		return json;
	json = view_merge(json,
			  json_pack("{s:I, s:I, s:I, s:I, s:o}", "interval_ms",
				    (json_int_t)check->interval_ms, "timeout_ms",
				    (json_int_t)check->timeout_ms, "rise", (json_int_t)check->rise,
				    "fall", (json_int_t)check->fall, "port",
				    check->port ? json_integer(ntohs(check->port)) : json_null()));
	if (check->type != CHECK_HTTP)
		return json;
	return view_merge(json, json_pack("{s:o, s:o, s:o}", "path", view_text(check->path), "host",
					  check->host ? view_text(check->host) : json_null(),
					  "status", view_status_ranges(check)));
}

static json_t *view_affinity(const struct affinity_config *affinity)
{
	if (!affinity->timeout_ms)
		return json_null();
	return json_pack("{s:I, s:i, s:i, s:s?}", "timeout_ms", (json_int_t)affinity->timeout_ms,
			 "prefix_v4", (int)affinity->prefix_v4, "prefix_v6",
			 (int)affinity->prefix_v6, "group", affinity->group);
}

/* As the file has it: "2", "50%". */
static json_t *view_min_healthy(const struct service_config *config)
{
	if (!config->min_healthy)
		return json_null();
	return json_sprintf("%u%s", config->min_healthy, config->min_healthy_percent ? "%" : "");
}

/* How it chooses backends. */
static json_t *view_choice(const struct service *service)
{
	const struct service_config *config = service->config;

	return json_pack("{s:s, s:I, s:o, s:s, s:o, s:b, s:o}", "scheduler",
			 config_scheduler_name(config->scheduler), "table_size",
			 (json_int_t)config->table_size, "affinity",
			 view_affinity(&config->affinity), "on_all_down",
			 config_on_all_down_name(config->on_all_down), "min_healthy",
			 view_min_healthy(config), "panic", service->panic, "slow_start_ms",
			 config->slow_start_ms ? json_integer(config->slow_start_ms) : json_null());
}

static json_t *view_limit_configs(const struct service_config *config)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < config->n_limits; i++)
		if (!append(array, view_limit_config(&config->limits[i])))
			return NULL;
	return TAKE_PTR(array);
}

static json_t *view_respond(const struct service_config *config)
{
	const struct respond_config *respond = &config->respond;

	if (!config_responds(config))
		return json_null();
	return json_pack("{s:o, s:o, s:b, s:I}", "body",
			 respond->body ? view_text(respond->body) : json_null(), "content_type",
			 respond->content_type ? view_text(respond->content_type) : json_null(),
			 "x_headers", respond->x_headers, "retry_after_ms",
			 (json_int_t)respond->retry_after_ms);
}

json_t *view_service(const struct service *service)
{
	const struct service_config *config = service->config;
	json_t *rest =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "limits", view_limit_configs(config),
			  "access", view_access(&config->access), "respond", view_respond(config),
			  "check", view_check(&config->check), "stats", view_service_stats(service),
			  "backends", view_service_backends(service));

	return view_merge(view_merge(view_service_row(service), view_choice(service)), rest);
}
