// SPDX-License-Identifier: BSD-2-Clause
/* Each section beside the table of keys that reads it back (config/read_service.c
 * and its neighbours): a key is written where its value is not what the reader
 * starts from.
 */
#include "lib/config/write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/config/compare.h"
#include "lib/config/read.h"
#include "lib/config/write_limit.h"
#include "lib/config/yaml_emit.h"

static void write_flows(struct emit *emit, const struct flows_config *flows)
{
	struct flows_config defaults = config_default_flows();

	if (config_flows_equal(flows, &defaults))
		return;
	emit_text(emit, "flows");
	emit_map(emit, LAYOUT_FLOW);
	if (flows->size != defaults.size)
		emit_count(emit, "size", flows->size);
	if (flows->tcp_idle_ms != defaults.tcp_idle_ms)
		emit_duration(emit, "tcp_idle", flows->tcp_idle_ms);
	if (flows->udp_idle_ms != defaults.udp_idle_ms)
		emit_duration(emit, "udp_idle", flows->udp_idle_ms);
	emit_map_end(emit);
}

static void write_ipip(struct emit *emit, const struct ipip_config *ipip)
{
	struct ipip_config defaults = config_default_ipip();
	char text[PREFIX_TEXT_SIZE];

	if (config_ipip_equal(ipip, &defaults))
		return;
	emit_text(emit, "ipip");
	emit_map(emit, LAYOUT_FLOW);
	if (prefix_compare(&ipip->source_v4, &defaults.source_v4))
		emit_pair(emit, "source_v4", "%s", prefix_format(&ipip->source_v4, text));
	if (prefix_compare(&ipip->source_v6, &defaults.source_v6))
		emit_pair(emit, "source_v6", "%s", prefix_format(&ipip->source_v6, text));
	emit_map_end(emit);
}

static void write_interface(struct emit *emit, const struct interface_config *interface)
{
	if (interface->mode == ATTACH_AUTO) {
		emit_text(emit, interface->name);
		return;
	}
	emit_map(emit, LAYOUT_FLOW);
	emit_pair(emit, "name", "%s", interface->name);
	emit_pair(emit, "mode", "%s", config_mode_name(interface->mode));
	emit_map_end(emit);
}

static void write_addresses(struct emit *emit, const struct service_config *service)
{
	char text[ADDR_TEXT_SIZE];

	emit_text(emit, "address");
	if (service->n_addresses > 1)
		emit_list(emit, LAYOUT_FLOW);
	for (size_t i = 0; i < service->n_addresses; i++)
		emit_text(emit, ip_format(&service->addresses[i], text));
	if (service->n_addresses > 1)
		emit_list_end(emit);
}

static void write_affinity(struct emit *emit, const struct affinity_config *affinity)
{
	struct affinity_config defaults = config_default_affinity();

	if (!affinity->timeout_ms)
		return;
	if (affinity->prefix_v4 == defaults.prefix_v4 &&
	    affinity->prefix_v6 == defaults.prefix_v6) {
		emit_duration(emit, "affinity", affinity->timeout_ms);
		return;
	}
	emit_text(emit, "affinity");
	emit_map(emit, LAYOUT_FLOW);
	emit_duration(emit, "timeout", affinity->timeout_ms);
	if (affinity->prefix_v4 != defaults.prefix_v4)
		emit_pair(emit, "prefix_v4", "%u", affinity->prefix_v4);
	if (affinity->prefix_v6 != defaults.prefix_v6)
		emit_pair(emit, "prefix_v6", "%u", affinity->prefix_v6);
	emit_map_end(emit);
}

static void write_status(struct emit *emit, const struct check_config *check)
{
	if (check->n_status == 1 && check->status[0].first == 200 && check->status[0].last == 299)
		return;
	emit_text(emit, "status");
	emit_list(emit, LAYOUT_FLOW);
	for (size_t i = 0; i < check->n_status; i++) {
		const struct status_range *range = &check->status[i];
		char text[16];

		(void)snprintf(text, sizeof(text), "%u-%u", range->first, range->last);
		if (range->first == range->last)
			text[3] = 0;
		emit_text(emit, text);
	}
	emit_list_end(emit);
}

static void write_check_keys(struct emit *emit, const struct check_config *check,
			     const struct check_config *defaults)
{
	if (check->type != defaults->type)
		emit_pair(emit, "type", "%s", config_check_name(check->type));
	if (check->interval_ms != defaults->interval_ms)
		emit_duration(emit, "interval", check->interval_ms);
	if (check->timeout_ms != defaults->timeout_ms)
		emit_duration(emit, "timeout", check->timeout_ms);
	if (check->rise != defaults->rise)
		emit_pair(emit, "rise", "%u", check->rise);
	if (check->fall != defaults->fall)
		emit_pair(emit, "fall", "%u", check->fall);
	if (check->jitter_percent != defaults->jitter_percent)
		emit_pair(emit, "jitter", "%u%%", check->jitter_percent);
	if (check->port)
		emit_pair(emit, "port", "%u", ntohs(check->port));
	if (strcmp(check->path, defaults->path) != 0)
		emit_pair(emit, "path", "%s", check->path);
	if (check->host)
		emit_pair(emit, "host", "%s", check->host);
	write_status(emit, check);
}

/* defaults: what a check is when the file says nothing; its type depends on the
 * protocol.
 */
static void write_check(struct emit *emit, const struct service_config *service,
			struct check_config defaults)
{
	defaults.type = service->proto == IPPROTO_UDP ? CHECK_NONE : CHECK_TCP;
	if (config_check_equal(&service->check, &defaults))
		return;
	emit_text(emit, "check");
	defaults.type = service->check.type;
	if (config_check_equal(&service->check, &defaults)) {
		emit_text(emit, config_check_name(defaults.type));
		return;
	}
	defaults.type = service->proto == IPPROTO_UDP ? CHECK_NONE : CHECK_TCP;
	emit_map(emit, LAYOUT_FLOW);
	write_check_keys(emit, &service->check, &defaults);
	emit_map_end(emit);
}

static void write_backend(struct emit *emit, const struct service_config *service,
			  const struct backend_config *backend)
{
	char text[ENDPOINT_TEXT_SIZE];

	emit_map(emit, LAYOUT_FLOW);
	if (strcmp(backend->name, endpoint_format(&backend->ip, backend->port, text)) != 0)
		emit_pair(emit, "name", "%s", backend->name);
	emit_pair(emit, "address", "%s", ip_format(&backend->ip, text));
	if (backend->port != service->port)
		emit_pair(emit, "port", "%u", ntohs(backend->port));
	if (backend->weight != 1)
		emit_pair(emit, "weight", "%u", backend->weight);
	if (backend->backup)
		emit_pair(emit, "backup", "true");
	if (backend->admin_state != ADMIN_UP)
		emit_pair(emit, "state", "%s", config_admin_state_name(backend->admin_state));
	emit_map_end(emit);
}

static void write_service_keys(struct emit *emit, const struct service_config *service,
			       size_t n_services)
{
	emit_pair(emit, "name", "%s", service->name);
	write_addresses(emit, service);
	emit_pair(emit, "port", "%u", ntohs(service->port));
	if (service->proto != IPPROTO_TCP)
		emit_pair(emit, "protocol", "%s", config_proto_name(service->proto));
	if (service->scheduler != SL_SCHEDULER_MAGLEV)
		emit_pair(emit, "scheduler", "%s", config_scheduler_name(service->scheduler));
	write_affinity(emit, &service->affinity);
	if (service->forward != SL_FORWARD_NAT)
		emit_pair(emit, "forward", "%s", config_forward_name(service->forward));
	if (service->on_all_down != ON_ALL_DOWN_DROP)
		emit_pair(emit, "on_all_down", "%s", config_on_all_down_name(service->on_all_down));
	if (service->min_healthy)
		emit_pair(emit, "min_healthy", "%u%s", service->min_healthy,
			  service->min_healthy_percent ? "%" : "");
	if (service->slow_start_ms)
		emit_duration(emit, "slow_start", service->slow_start_ms);
	if (service->table_size != config_default_table_size(service, n_services))
		emit_pair(emit, "table_size", "%u", service->table_size);
}

static void write_service(struct emit *emit, const struct service_config *service,
			  size_t n_services, const struct check_config *defaults)
{
	emit_map(emit, LAYOUT_BLOCK);
	write_service_keys(emit, service, n_services);
	write_check(emit, service, *defaults);
	write_limits(emit, service);
	write_access(emit, &service->access);
	write_respond(emit, &service->respond);
	emit_text(emit, "backends");
	emit_list(emit, LAYOUT_BLOCK);
	for (size_t i = 0; i < service->n_backends; i++)
		write_backend(emit, service, &service->backends[i]);
	emit_list_end(emit);
	emit_map_end(emit);
}

static void write_config(struct emit *emit, const struct config *config,
			 const struct check_config *defaults)
{
	emit_map(emit, LAYOUT_BLOCK);
	if (config->hash_seed != SL_DEFAULT_HASH_SEED)
		emit_pair(emit, "hash_seed", "0x%016" PRIx64, (uint64_t)config->hash_seed);
	write_flows(emit, &config->flows);
	write_limiter(emit, &config->limiter);
	write_ipip(emit, &config->ipip);
	write_access(emit, &config->access);
	if (config->n_interfaces) {
		emit_text(emit, "interfaces");
		emit_list(emit, LAYOUT_BLOCK);
		for (size_t i = 0; i < config->n_interfaces; i++)
			write_interface(emit, &config->interfaces[i]);
		emit_list_end(emit);
	}
	if (config->n_services) {
		emit_text(emit, "services");
		emit_list(emit, LAYOUT_BLOCK);
		for (size_t i = 0; i < config->n_services; i++)
			write_service(emit, &config->services[i], config->n_services, defaults);
		emit_list_end(emit);
	}
	emit_map_end(emit);
}

static int write_file(FILE *file, const struct config *config)
{
	_cleanup_(check_config_done) struct check_config defaults = {};
	struct emit emit;
	int error;

	error = check_config_init(&defaults);
	if (!error)
		error = emit_init(&emit, file);
	if (error)
		return error;
	write_config(&emit, config, &defaults);
	return emit_done(&emit);
}

int config_write(const struct config *config, char **ret_text)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size;
	FILE *file;
	int error;

	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	error = write_file(file, config);
	if (fclose(file) != 0 && !error)
		error = -ENOMEM;
	if (error)
		return error;
	*ret_text = TAKE_PTR(text);
	return 0;
}
