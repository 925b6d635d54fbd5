// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/service.h"

#include "daemon/core/backend.h"
#include "daemon/core/balancer.h"
#include "daemon/datapath/limits.h"
#include "daemon/datapath/sources.h"
#include "lib/balance/plan.h"

size_t service_serving(const struct service *service)
{
	size_t n = 0;

	for (size_t i = 0; i < service->config->n_backends; i++)
		n += backend_serves(&service->backends[i]);
	return n;
}

enum service_state service_state(const struct service *service)
{
	const struct service_config *config = service->config;
	size_t idle_addresses = 0;

	for (size_t i = 0; i < config->n_addresses; i++)
		idle_addresses += service->serving[i] == 0;
	if (idle_addresses == config->n_addresses)
		return SERVICE_DOWN;
	if (idle_addresses || service->error[0] || service->panic)
		return SERVICE_DEGRADED;
	for (size_t i = 0; i < config->n_backends; i++)
		if (backend_is_lacking(&service->backends[i]))
			return SERVICE_DEGRADED;
	return SERVICE_OK;
}

bool service_has_family(const struct service *service, __u8 family)
{
	for (size_t i = 0; i < service->config->n_addresses; i++)
		if (service->config->addresses[i].family == family)
			return true;
	return false;
}

size_t service_keys(const struct service *service,
		    struct sl_key ret_keys[static CONFIG_ADDRESSES_MAX])
{
	const struct service_config *config = service->config;

	for (size_t i = 0; i < config->n_addresses; i++)
		ret_keys[i] = plan_service_key(config, &config->addresses[i]);
	return config->n_addresses;
}

const struct sl_limit *service_limit(const struct service *service, unsigned number,
				     unsigned *ret_index)
{
	struct sl_key key = plan_service_key(service->config, &service->config->addresses[0]);
	const struct datapath *datapath = service->balancer->datapath;
	unsigned first = service->error[0] ? 0 : datapath_limits(datapath, &key);
	const struct sl_limit *limit = first ? datapath_limit(datapath, first + number - 1) : NULL;

	if (limit)
		*ret_index = first + number - 1;
	return limit;
}
