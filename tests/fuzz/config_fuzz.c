// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on the configuration: any bytes are taken or refused with a place,
 * what is taken keeps what config.h promises, and written out it is read back as
 * the same. Build and run, from the root:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iuser -Iinclude \
 *       tests/fuzz/config_fuzz.c user/lib/{addr,units,diag}.c \
 *       $(ls user/lib/config*.c) -lyaml -o build/config-fuzz
 *   build/config-fuzz -dict=tests/fuzz/config.dict -max_total_time=60 CORPUS examples
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config.h"
#include "lib/config_compare.h"
#include "lib/config_write.h"
#include "lib/diag.h"

static void check_table(const struct service_config *service)
{
	switch (service->scheduler) {
	case SL_SCHEDULER_ROUND_ROBIN:
		assert(service->table_size >= 1 && service->table_size <= CONFIG_TURNS_MAX);
		break;
	case SL_SCHEDULER_LEAST_CONNECTIONS:
		assert(service->table_size >= 1 && service->table_size <= service->n_backends);
		break;
	case SL_SCHEDULER_MAGLEV:
	case SL_SCHEDULER_SOURCE_HASH:
	case SL_SCHEDULER_RANDOM:
		assert(service->table_size >= service->n_backends);
		assert(service->table_size <= CONFIG_TABLE_SIZE_MAX);
		break;
	}
}

static void check_service(const struct config *config, const struct service_config *service)
{
	size_t n_first_choice = 0;
	size_t i;

	assert(config_find_service(config, service->name) == service);
	assert(service->n_addresses >= 1 && service->n_addresses <= CONFIG_ADDRESSES_MAX);
	assert(service->n_backends >= 1 && service->port && service->check.path);
	check_table(service);
	assert(service->affinity.prefix_v4 >= 8 && service->affinity.prefix_v4 <= 32);
	assert(service->affinity.prefix_v6 >= 16 && service->affinity.prefix_v6 <= 128);
	assert(!service->affinity.timeout_ms || service->affinity.timeout_ms >= 1000);
	assert(!service->slow_start_ms || service->slow_start_ms >= 1000);
	assert(service->check.n_status >= 1 && service->check.n_status <= CONFIG_STATUS_RANGES);
	assert(service->limit.set == (service->limit.text != NULL));
	assert(service->limit.set == (service->limit.rate.interval >= 16));
	for (i = 0; i < service->n_addresses; i++)
		assert(ip_is_unicast(&service->addresses[i]));
	for (i = 0; i < service->n_backends; i++) {
		const struct backend_config *backend = &service->backends[i];

		assert(backend->name && backend->port && ip_is_unicast(&backend->ip));
		assert(backend->weight <= CONFIG_WEIGHT_MAX);
		assert(service->forward == SL_FORWARD_NAT || backend->port == service->port);
		n_first_choice += !backend->backup;
	}
	assert(n_first_choice);
	assert(service->min_healthy <= (service->min_healthy_percent ? 100 : n_first_choice));
}

static void check_written(const struct config *config)
{
	struct config *again = NULL;
	struct diag diag = {};
	char *text = NULL;

	assert(config_write(config, &text) == 0);
	assert(config_parse(text, strlen(text), "written.yaml", &diag, &again) == 0);
	assert(config_equal(config, again));
	config_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct diag diag = {};
	size_t i;
	int err;

	err = config_parse((const char *)data, size, "fuzz.yaml", &diag, &config);
	if (err) {
		assert(err == -EINVAL && !config);
		assert(diag.line > 0 && diag.column > 0 && diag.text[0]);
		for (i = 0; diag.text[i]; i++)
			assert(diag.text[i] >= 0x20 && diag.text[i] < 0x7f);
		return 0;
	}
	for (i = 0; i < config->n_services; i++)
		check_service(config, &config->services[i]);
	check_written(config);
	config_free(config);
	return 0;
}
