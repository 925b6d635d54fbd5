/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Services, backends and attachments as JSON. Only reads.
 */
#include "daemon/view.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "daemon/server.h"
#include "daemon/view_parts.h"
#include "lib/cleanup.h"

json_t *view_text(const char *text)
{
	_cleanup_(cleanup_free) char *ascii = NULL;
	json_t *json = json_string(text);

	if (json)
		return json;
	ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (char *byte = ascii; *byte; byte++)
		if (*byte & 0x80)
			*byte = '?';
	return json_string(ascii);
}

static json_t *view_ip(const struct ip *ip)
{
	char buffer[ADDR_TEXT_SIZE];

	return json_string(ip_format(ip, buffer));
}

json_t *view_attachment(const struct attachment *attachment)
{
	return json_pack("{s:o, s:i, s:s, s:I, s:b, s:b}", "name", view_text(attachment->name),
			 "ifindex", attachment->ifindex, "mode", config_mode_name(attachment->mode),
			 "program_id", (json_int_t)attachment->program_id, "adopted",
			 attachment->adopted, "shared", attachment->shared);
}

/* ---- backends ---------------------------------------------------------- */

static json_t *view_check_result(const struct backend *backend)
{
	const struct check_result *result = check_get(backend->check);
	const struct service *service = backend->service;
	unsigned long long now = uv_now(service->server->loop);
	unsigned long long since = now > result->changed_ms ? now - result->changed_ms : 0;

	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:f}", "type",
			 config_check_name(service->config->check.type), "text",
			 view_text(result->text), "ok",
			 result->probed ? json_boolean(result->last_ok) : json_null(), "in_a_row",
			 (json_int_t)result->run, "since_s", (json_int_t)(since / 1000),
			 "duration_ms", result->duration_us / 1000.0);
}

static const char *hop_state_name(enum hop_state state)
{
	switch (state) {
	case HOP_RESOLVED:
		return "resolved";
	case HOP_NO_NEIGHBOUR:
		return "no_neighbour";
	case HOP_NO_ROUTE:
		return "no_route";
	case HOP_LINK_DOWN:
		return "link_down";
	case HOP_LOCAL:
		return "local";
	case HOP_UNSUPPORTED:
		return "unsupported";
	}
	return "unknown";
}

static json_t *view_mac(const __u8 mac[static 6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}

static json_t *view_hop(const struct hop *hop)
{
	bool resolved = hop->state == HOP_RESOLVED;

	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "device",
			 hop->device[0] ? view_text(hop->device) : json_null(), "mac",
			 resolved ? view_mac(hop->wire.dst_mac) : json_null(), "gateway",
			 hop->gateway.family ? view_ip(&hop->gateway) : json_null(), "vlan",
			 resolved && hop->wire.vlan ? json_integer(ntohs(hop->wire.vlan))
						    : json_null(),
			 "state", hop_state_name(hop->state));
}

json_t *view_backend(const struct backend *backend)
{
	const struct backend_config *config = backend->config;
	char reason[256];

	return json_pack(
		"{s:s, s:s, s:o, s:i, s:i, s:s, s:b, s:o, s:o, s:o, s:o}", "service",
		backend->service->config->name, "name", config->name, "address",
		view_ip(&config->ip), "port", ntohs(config->port), "weight", (int)config->weight,
		"state", check_get(backend->check)->up ? "up" : "down", "serving",
		backend_serves(backend), "reason",
		view_text(backend_explain(backend, reason, sizeof(reason))), "check",
		view_check_result(backend), "next_hop", view_hop(hop_watch_get(backend->hop)),
		"stats", view_backend_stats(backend));
}

/* Takes the reference of value; true unless there was no memory for it. */
static bool append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0;
}

static json_t *view_service_backends(const struct service *service)
{
	json_t *array = json_array();

	for (size_t i = 0; i < service->config->n_backends; i++)
		if (!append(array, view_backend(&service->backends[i])))
			return json_decref(array), NULL;
	return array;
}

json_t *view_backends(const struct server *server)
{
	json_t *array = json_array();

	for (size_t i = 0; i < server->config->n_services; i++) {
		const struct service *service = &server->services[i];

		for (size_t k = 0; k < service->config->n_backends; k++)
			if (!append(array, view_backend(&service->backends[k])))
				return json_decref(array), NULL;
	}
	return json_pack("{s:o}", "backends", array);
}

/* ---- services ---------------------------------------------------------- */

size_t view_serving(const struct service *service)
{
	size_t n = 0;

	for (size_t i = 0; i < service->config->n_backends; i++)
		n += backend_serves(&service->backends[i]);
	return n;
}

enum view_state view_service_state(const struct service *service)
{
	const struct service_config *config = service->config;
	size_t idle_addresses = 0, wanted = 0;

	for (size_t i = 0; i < config->n_addresses; i++)
		idle_addresses += service->serving[i] == 0;
	if (idle_addresses == config->n_addresses)
		return VIEW_DOWN;
	for (size_t i = 0; i < config->n_backends; i++)
		wanted += config->backends[i].weight != 0;
	if (idle_addresses || service->error[0] || view_serving(service) < wanted)
		return VIEW_DEGRADED;
	return VIEW_OK;
}

static const char *state_name(enum view_state state)
{
	switch (state) {
	case VIEW_OK:
		return "ok";
	case VIEW_DEGRADED:
		return "degraded";
	case VIEW_DOWN:
		return "down";
	}
	return "unknown";
}

json_t *view_service_row(const struct service *service)
{
	const struct service_config *config = service->config;
	json_t *addresses = json_array();
	json_t *row;

	for (size_t i = 0; i < config->n_addresses; i++)
		if (!append(addresses, view_ip(&config->addresses[i])))
			return json_decref(addresses), NULL;
	row = json_pack("{s:s, s:o, s:i, s:s, s:s, s:s, s:I, s:I}", "name", config->name,
			"addresses", addresses, "port", ntohs(config->port), "protocol",
			config_proto_name(config->proto), "forward",
			config_forward_name(config->forward), "state",
			state_name(view_service_state(service)), "backends_total",
			(json_int_t)config->n_backends, "backends_serving",
			(json_int_t)view_serving(service));
	if (row && service->error[0] &&
	    json_object_set_new(row, "error", view_text(service->error)) < 0)
		return json_decref(row), NULL;
	return row;
}

json_t *view_services(const struct server *server)
{
	json_t *array = json_array();

	for (size_t i = 0; i < server->config->n_services; i++)
		if (!append(array, view_service_row(&server->services[i])))
			return json_decref(array), NULL;
	return json_pack("{s:o}", "services", array);
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
	if (json_object_update_new(
		    json, json_pack("{s:I, s:I, s:I, s:I, s:o}", "interval_ms",
				    (json_int_t)check->interval_ms, "timeout_ms",
				    (json_int_t)check->timeout_ms, "rise", (json_int_t)check->rise,
				    "fall", (json_int_t)check->fall, "port",
				    check->port ? json_integer(ntohs(check->port)) : json_null())) <
	    0)
		return json_decref(json), NULL;
	if (check->type == CHECK_HTTP &&
	    json_object_update_new(
		    json, json_pack("{s:o, s:o, s:o}", "path", view_text(check->path), "host",
				    check->host ? view_text(check->host) : json_null(), "status",
				    view_status_ranges(check))) < 0)
		return json_decref(json), NULL;
	return json;
}

json_t *view_service(const struct service *service)
{
	const struct service_config *config = service->config;
	json_t *limit = config->limit.set
				? json_pack("{s:o, s:I}", "rate", view_text(config->limit.text),
					    "burst", (json_int_t)config->limit.burst)
				: json_null();
	json_t *json = view_service_row(service);

	if (json_object_update_new(json,
				   json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "scheduler",
					     "maglev", "table_size", (json_int_t)config->table_size,
					     "limit", limit, "check", view_check(&config->check),
					     "stats", view_service_stats(service), "backends",
					     view_service_backends(service))) < 0)
		return json_decref(json), NULL;
	return json;
}
