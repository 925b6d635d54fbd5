/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters as JSON. Only reads. What is not in the maps has counted nothing.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/datapath/datapath.h"
#include "lib/balance/plan.h"

static void add(struct sl_stats *sum, const struct sl_stats *stats)
{
	sum->packets += stats->packets;
	sum->bytes += stats->bytes;
	sum->connections += stats->connections;
	sum->dropped_packets += stats->dropped_packets;
	sum->dropped_bytes += stats->dropped_bytes;
	sum->reply_packets += stats->reply_packets;
	sum->reply_bytes += stats->reply_bytes;
}

static void add_address(const struct service *service, size_t address, struct sl_stats *sum)
{
	struct sl_key key = plan_service_key(service->config, &service->config->addresses[address]);
	struct sl_stats stats;

	if (datapath_service_stats(service->balancer->datapath, &key, &stats) == 0)
		add(sum, &stats);
}

static void add_backend(const struct backend *backend, struct sl_stats *sum)
{
	const struct service_config *config = backend->service->config;
	struct sl_key backend_key = plan_backend_key(config, backend->config);
	struct sl_stats stats;

	for (size_t i = 0; i < config->n_addresses; i++) {
		struct sl_key key = plan_service_key(config, &config->addresses[i]);

		if (datapath_backend_stats(backend->service->balancer->datapath, &key, &backend_key,
					   &stats) == 0)
			add(sum, &stats);
	}
}

static json_t *view_counters(const struct sl_stats *stats)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)stats->packets,
		"bytes", (json_int_t)stats->bytes, "connections", (json_int_t)stats->connections,
		"dropped_packets", (json_int_t)stats->dropped_packets, "dropped_bytes",
		(json_int_t)stats->dropped_bytes, "reply_packets", (json_int_t)stats->reply_packets,
		"reply_bytes", (json_int_t)stats->reply_bytes);
}

json_t *view_service_stats(const struct service *service)
{
	struct sl_stats sum = {};

	for (size_t i = 0; i < service->config->n_addresses; i++)
		add_address(service, i, &sum);
	return view_counters(&sum);
}

json_t *view_backend_stats(const struct backend *backend)
{
	struct sl_stats sum = {};

	add_backend(backend, &sum);
	return view_counters(&sum);
}

/* What a row is about, then its counters; takes the reference of row. */
static json_t *with_counters(json_t *row, const struct sl_stats *stats)
{
	if (json_object_update_new(row, view_counters(stats)) < 0)
		return json_decref(row), NULL;
	return row;
}

static json_t *service_row(const struct service *service, size_t address)
{
	const struct service_config *config = service->config;
	char text[ADDR_TEXT_SIZE];
	struct sl_stats stats = {};

	add_address(service, address, &stats);
	return with_counters(json_pack("{s:s, s:s, s:i, s:s}", "name", config->name, "address",
				       ip_format(&config->addresses[address], text), "port",
				       ntohs(config->port), "protocol",
				       config_proto_name(config->proto)),
			     &stats);
}

static json_t *backend_row(const struct backend *backend)
{
	const struct backend_config *config = backend->config;
	char text[ADDR_TEXT_SIZE];
	struct sl_stats stats = {};

	add_backend(backend, &stats);
	return with_counters(json_pack("{s:s, s:s, s:s, s:i}", "service",
				       backend->service->config->name, "name", config->name,
				       "address", ip_format(&config->ip, text), "port",
				       ntohs(config->port)),
			     &stats);
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
#define VERDICT(name, action, text) [SL_##name] = { #name, #action, text },
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

static json_t *view_verdicts(const struct datapath *datapath)
{
	struct sl_count counts[SL_VERDICT_COUNT] = {};
	json_t *array = json_array();

	if (datapath_verdicts(datapath, counts) < 0)
		memset(counts, 0, sizeof(counts));
	for (int i = SL_NEXT + 1; i < SL_VERDICT_COUNT; i++) {
		json_t *row = json_pack(
			"{s:o, s:o, s:I, s:I, s:s}", "name", lower_case(verdicts[i].name), "action",
			lower_case(verdicts[i].action), "packets", (json_int_t)counts[i].packets,
			"bytes", (json_int_t)counts[i].bytes, "text", verdicts[i].text);

		if (json_array_append_new(array, row) < 0)
			return json_decref(array), NULL;
	}
	return array;
}

json_t *view_stats(const struct balancer *balancer)
{
	json_t *services = json_array(), *backends = json_array();

	for (size_t i = 0; i < balancer->config->n_services; i++)
		if (add_rows(&balancer->services[i], services, backends) < 0)
			return json_decref(services), json_decref(backends), NULL;
	return json_pack("{s:o, s:o, s:o}", "verdicts", view_verdicts(balancer->datapath),
			 "services", services, "backends", backends);
}
