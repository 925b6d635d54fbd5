// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on the configuration: any bytes are taken or refused with a place,
 * what is taken keeps what config/config.h promises, and written out it is read back as
 * the same. Runs in the root of the tree: `make fuzz` does that.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/diag.h"
#include "lib/config/config.h"
#include "lib/config/copy.h"
#include "lib/config/write.h"
#include "lib/limit/limit.h"
#include "tests/unit/config/equal.h"

/* In the directory of the examples, so that the files which they name are found. */
#define NAME "examples/fuzz.yaml"

static void check_list(const struct prefix_list *list)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix prefix;

	assert(list->n <= CONFIG_PREFIXES_MAX && list->n >= (list->n_written > 0));
	for (size_t i = 0; i < list->n; i++) {
		assert(prefix_parse(prefix_format(&list->prefixes[i], text), &prefix) == 0);
		assert(prefix_compare(&list->prefixes[i], &prefix) == 0);
		assert(!i || prefix_compare(&list->prefixes[i - 1], &list->prefixes[i]) < 0);
	}
	for (size_t i = 0; i < list->n_files; i++)
		assert(list->files[i][0]);
}

static void check_limit(const struct service_config *service, const struct limit_config *limit)
{
	struct sl_limit wire = limit_wire(limit);

	assert(limit->text && limit->rate.count);
	assert(limit->rate.seconds == 1 || limit->rate.seconds == 60 ||
	       limit->rate.seconds == 3600);
	assert(limit->prefix_v4 >= 1 && limit->prefix_v4 <= 32);
	assert(limit->prefix_v6 >= 1 && limit->prefix_v6 <= 128);
	assert(limit->burst <= limit_max_burst(&limit->rate, limit->count));
	assert(!limit->burst == !limit_has_burst(limit->algorithm));
	assert(service->proto == IPPROTO_TCP || limit->count != SL_COUNT_CONNECTIONS);
	assert(service->proto == IPPROTO_TCP || limit->action != SL_ACTION_RESPOND);
	assert(wire.rate.interval && wire.rate.depth);
	check_list(&limit->exempt);
}

static void check_respond(const struct respond_config *respond)
{
	const char *c;

	assert(respond->retry_after_ms >= 1000 && respond->retry_after_ms <= 24 * 3600 * 1000);
	assert(!respond->body || strlen(respond->body) <= CONFIG_BODY_MAX);
	assert(!respond->content_type || strlen(respond->content_type) <= 127);
	for (c = respond->content_type; c && *c; c++)
		assert(*c >= 0x20 && *c < 0x7f);
}

static void check_limiter(const struct limiter_config *limiter)
{
	assert(limiter->buckets >= 1024 && limiter->buckets <= 1 << 26);
	assert(limiter->gate >= 1024 && limiter->gate <= 1 << 26);
	assert(!(limiter->gate & (limiter->gate - 1)));
	assert(limiter->inserts_per_second && limiter->inserts_per_second <= 100000000);
	assert(limiter->refusals_per_second && limiter->refusals_per_second <= 100000000);
	assert(limiter->events_per_second && limiter->events_per_second <= 1000000);
}

static void check_table(const struct service_config *service)
{
	switch (sl_scheduler_table(service->scheduler)) {
	case SL_TABLE_TURNS:
		assert(service->table_size >= 1 && service->table_size <= CONFIG_TURNS_MAX);
		break;
	case SL_TABLE_LIST:
		assert(service->table_size >= 1 && service->table_size <= service->n_backends);
		break;
	case SL_TABLE_MAGLEV:
		assert(service->table_size >= service->n_backends);
		assert(service->table_size <= CONFIG_TABLE_SIZE_MAX);
		break;
	}
}

static void check_service(const struct config *config, const struct service_config *service)
{
	size_t n_first_choice = 0;

	assert(config_find_service(config, service->name) == service);
	assert(service->n_addresses >= 1 && service->n_addresses <= CONFIG_ADDRESSES_MAX);
	assert(service->n_backends >= 1 && service->port && service->check.path);
	check_table(service);
	assert(service->affinity.prefix_v4 >= 8 && service->affinity.prefix_v4 <= 32);
	assert(service->affinity.prefix_v6 >= 16 && service->affinity.prefix_v6 <= 128);
	assert(!service->affinity.timeout_ms || service->affinity.timeout_ms >= 1000);
	assert(!service->slow_start_ms || service->slow_start_ms >= 1000);
	assert(service->check.n_status >= 1 && service->check.n_status <= CONFIG_STATUS_RANGES);
	assert(service->n_limits <= SL_LIMITS_MAX);
	for (size_t i = 0; i < service->n_limits; i++)
		check_limit(service, &service->limits[i]);
	check_list(&service->access.allow);
	check_list(&service->access.deny);
	check_respond(&service->respond);
	assert(service->proto == IPPROTO_TCP || !config_responds(service));
	for (size_t i = 0; i < service->n_addresses; i++)
		assert(ip_is_unicast(&service->addresses[i]));
	for (size_t i = 0; i < service->n_backends; i++) {
		const struct backend_config *backend = &service->backends[i];

		assert(backend->name && backend->port && ip_is_unicast(&backend->ip));
		assert(backend->weight <= CONFIG_WEIGHT_MAX);
		assert(!sl_forward_keeps_port(service->forward) || backend->port == service->port);
		n_first_choice += !backend->backup;
	}
	assert(n_first_choice);
	assert(service->min_healthy <= (service->min_healthy_percent ? 100 : n_first_choice));
}

static void check_ipip(const struct ipip_config *ipip)
{
	assert(ipip->source_v4.ip.family == SL_FAMILY_IPV4);
	assert(ipip->source_v4.bits >= 8 && ipip->source_v4.bits <= 32);
	assert(ipip->source_v6.ip.family == SL_FAMILY_IPV6);
	assert(ipip->source_v6.bits >= 16 && ipip->source_v6.bits <= 128);
}

static void check_written(const struct config *config)
{
	struct config *again = NULL;
	struct diag diag = {};
	char *text = NULL;

	assert(config_write(config, &text) == 0);
	assert(config_parse(text, strlen(text), NAME, &diag, &again) == 0);
	assert(config_equal(config, again));
	config_free(again);
	again = NULL;
	assert(config_copy(config, &again) == 0);
	assert(config_equal(config, again));
	config_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct diag diag = {};
	int error;

	error = config_parse((const char *)data, size, NAME, &diag, &config);
	if (error) {
		assert(error == -EINVAL && !config);
		assert(diag.line > 0 && diag.column > 0 && diag.text[0]);
		for (size_t i = 0; diag.text[i]; i++)
			assert(diag.text[i] >= 0x20 && diag.text[i] < 0x7f);
		return 0;
	}
	check_limiter(&config->limiter);
	check_ipip(&config->ipip);
	check_list(&config->access.allow);
	check_list(&config->access.deny);
	for (size_t i = 0; i < config->n_services; i++)
		check_service(config, &config->services[i]);
	check_written(config);
	config_free(config);
	return 0;
}
