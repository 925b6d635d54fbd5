/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A backend as JSON: its admin state, the result of its check, and its traffic. Only
 * reads.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/core/backend.h"
#include "daemon/core/balancer.h"
#include "daemon/core/edits.h"
#include "daemon/core/stats.h"
#include "daemon/health/checks.h"
#include "daemon/nexthop/nexthops.h"

static json_t *view_check_result(const struct backend *backend)
{
	const struct check_result *result = check_get(backend->check);
	const struct service *service = backend->service;
	unsigned long long now = uv_now(service->balancer->loop);
	unsigned long long since = now > result->changed_ms ? now - result->changed_ms : 0;

	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:f}", "type",
			 config_check_name(service->config->check.type), "text",
			 view_text(result->text), "ok",
			 result->probed ? json_boolean(result->last_ok) : json_null(), "in_a_row",
			 (json_int_t)result->run, "since_s", (json_int_t)(since / 1000),
			 "duration_ms", result->duration_us / 1000.0);
}

static const char *hop_state_name(enum nexthop_state state)
{
	switch (state) {
	case NEXTHOP_RESOLVED:
		return "resolved";
	case NEXTHOP_NO_NEIGHBOUR:
		return "no_neighbour";
	case NEXTHOP_NO_ROUTE:
		return "no_route";
	case NEXTHOP_LINK_DOWN:
		return "link_down";
	case NEXTHOP_LOCAL:
		return "local";
	case NEXTHOP_UNSUPPORTED:
		return "unsupported";
	case NEXTHOP_NEEDS_POLLING:
		return "needs_polling";
	case NEXTHOP_NEEDS_PROGRAM:
		return "needs_program";
	}
	return "unknown";
}

static json_t *view_mac(const __u8 mac[static 6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}

static json_t *view_hop(const struct nexthop *hop)
{
	bool resolved = hop->state == NEXTHOP_RESOLVED;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "device",
			 hop->device[0] ? view_text(hop->device) : json_null(), "mac",
			 resolved ? view_mac(hop->wire.dst_mac) : json_null(), "gateway",
			 hop->gateway.family ? view_ip(&hop->gateway) : json_null(), "vlan",
			 resolved && hop->wire.vlan ? json_integer(ntohs(hop->wire.vlan))
						    : json_null(),
			 "mtu", resolved ? json_integer(hop->wire.mtu) : json_null(), "state",
			 hop_state_name(hop->state));
}

/* The admin state goes over health. */
static const char *state_name(const struct backend *backend)
{
	if (backend->config->admin_state != ADMIN_UP)
		return config_admin_state_name(backend->config->admin_state);
	return check_get(backend->check)->up ? "up" : "down";
}

/* In percent of its weight, or null when it has it all. */
static json_t *view_slow_start(const struct backend *backend)
{
	unsigned tenths = backend_weight_tenths(backend);

	return tenths == 10 ? json_null() : json_integer((json_int_t)tenths * 10);
}

/* The seconds that it has had its state; null for an admin state, whose age is unknown. */
static json_t *view_since(const struct backend *backend)
{
	unsigned long long now = uv_now(backend->service->balancer->loop);
	unsigned long long since = check_get(backend->check)->changed_ms;

	if (backend->config->admin_state != ADMIN_UP)
		return json_null();
	return json_integer((json_int_t)(now > since ? (now - since) / 1000 : 0));
}

/* Until its drain ends, or null where that is not set. */
static json_t *view_ends_in(const struct backend *backend)
{
	const struct balancer_edit *drain = edits_drain_of(backend);

	return drain ? json_integer(
			       (json_int_t)edits_seconds_left(backend->service->balancer, drain))
		     : json_null();
}

/* Its settings, in the configuration and by the operator. */
static json_t *view_settings(const struct backend *backend)
{
	const struct backend_config *config = backend->config;

	return json_pack("{s:s, s:s, s:o, s:i, s:i, s:s, s:b, s:o}", "service",
			 backend->service->config->name, "name", config->name, "address",
			 view_ip(&config->ip), "port", ntohs(config->port), "weight",
			 (int)config->weight, "role", config->backup ? "backup" : "primary",
			 "changed", edits_are_about(backend), "ends_in_s", view_ends_in(backend));
}

json_t *view_backend(const struct backend *backend)
{
	char reason[256];
	json_t *state = json_pack(
		"{s:s, s:o, s:s, s:b, s:o, s:I, s:o, s:o, s:o, s:o}", "state", state_name(backend),
		"since_s", view_since(backend), "health",
		check_get(backend->check)->up ? "up" : "down", "serving", backend_serves(backend),
		"reason", view_text(backend_explain(backend, reason, sizeof(reason))), "live",
		(json_int_t)stats_live_connections(backend), "slow_start", view_slow_start(backend),
		"check", view_check_result(backend), "next_hop",
		view_hop(nexthop_watch_get(backend->hop)), "stats", view_backend_stats(backend));

	return view_merge(view_settings(backend), state);
}
