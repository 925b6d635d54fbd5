// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on the configuration: any bytes are taken or refused with a place,
 * and what is taken keeps what config.h promises. Build and run, from the root:
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
#include <string.h>

#include "lib/config.h"
#include "lib/diag.h"

static void check_service(const struct config *config, const struct service_config *service)
{
	size_t i;

	assert(config_find_service(config, service->name) == service);
	assert(service->n_addresses >= 1 && service->n_addresses <= CONFIG_ADDRESSES_MAX);
	assert(service->n_backends >= 1 && service->port && service->check.path);
	assert(service->table_size >= service->n_backends);
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
	}
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
	config_free(config);
	return 0;
}
