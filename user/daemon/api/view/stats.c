/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters as JSON. Only reads.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/stats.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

static json_t *view_counters(const struct sl_stats *stats)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)stats->packets,
		"bytes", (json_int_t)stats->bytes, "connections", (json_int_t)stats->connections,
		"dropped_packets", (json_int_t)stats->dropped_packets, "dropped_bytes",
		(json_int_t)stats->dropped_bytes, "reply_packets", (json_int_t)stats->reply_packets,
		"reply_bytes", (json_int_t)stats->reply_bytes, "refused_packets",
		(json_int_t)stats->refused_packets);
}

json_t *view_service_stats(const struct service *service)
{
	struct sl_stats stats = stats_of_service(service);

	return view_counters(&stats);
}

json_t *view_backend_stats(const struct backend *backend)
{
	struct sl_stats stats = stats_of_backend(backend);

	return view_counters(&stats);
}

static json_t *service_row(const struct service *service, size_t address)
{
	const struct service_config *config = service->config;
	struct sl_stats stats = stats_of_address(service, address);
	char text[ADDR_TEXT_SIZE];

	yield_point();
	return view_merge(json_pack("{s:s, s:s, s:i, s:s}", "name", config->name, "address",
				    ip_format(&config->addresses[address], text), "port",
				    ntohs(config->port), "protocol",
				    config_proto_name(config->proto)),
			  view_counters(&stats));
}

static json_t *backend_row(const struct backend *backend)
{
	const struct backend_config *config = backend->config;
	struct sl_stats stats = stats_of_backend(backend);
	char text[ADDR_TEXT_SIZE];

	yield_point();
	return view_merge(json_pack("{s:s, s:s, s:s, s:i}", "service",
				    backend->service->config->name, "name", config->name, "address",
				    ip_format(&config->ip, text), "port", ntohs(config->port)),
			  view_counters(&stats));
}

static int add_rows(const struct service *service, json_t *services, json_t *backends)
{
	for (size_t i = 0; i < service->config->n_addresses; i++)
		if (json_array_append_new(services, service_row(service, i)) < 0)
			return -1;
	for (size_t i = 0; i < service->config->n_backends; i++)
		if (json_array_append_new(backends, backend_row(&service->backends[i])) < 0)
			return -1;
	return 0;
}

static const struct {
	const char *name, *action, *text;
} verdicts[SL_VERDICT_COUNT] = {
#define VERDICT(name, action, counted, text) [SL_##name] = { #name, #action, text },
	SL_VERDICTS(VERDICT)
#undef VERDICT
};

static json_t *lower_case(const char *text)
{
	char buffer[32];
	size_t i;

	for (i = 0; i < sizeof(buffer) - 1 && text[i]; i++)
		buffer[i] = (char)tolower((unsigned char)text[i]);
	return json_stringn(buffer, i);
}

static json_t *view_verdicts(const struct balancer *balancer)
{
	struct sl_count counts[SL_VERDICT_COUNT];
	_cleanup_(json_decrefp) json_t *array = json_array();

	stats_of_verdicts(balancer, counts);
	for (int i = SL_NEXT + 1; i < SL_VERDICT_COUNT; i++) {
		json_t *row = json_pack(
			"{s:o, s:o, s:I, s:I, s:s}", "name", lower_case(verdicts[i].name), "action",
			lower_case(verdicts[i].action), "packets", (json_int_t)counts[i].packets,
			"bytes", (json_int_t)counts[i].bytes, "text", verdicts[i].text);

		if (json_array_append_new(array, row) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

json_t *view_stats(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *services = json_array();
	_cleanup_(json_decrefp) json_t *backends = json_array();

	for (size_t i = 0; i < balancer->config->n_services; i++)
		if (add_rows(balancer->services[i], services, backends) < 0)
			return NULL;
	return json_pack("{s:o, s:o, s:o}", "verdicts", view_verdicts(balancer), "services",
			 TAKE_PTR(services), "backends", TAKE_PTR(backends));
}
