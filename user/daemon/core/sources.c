// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/sources.h"

#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "daemon/datapath/sources.h"
#include "lib/limit/limit.h"

/* The bucket of an address, and the one of the limit's generation before, which the
 * new one would inherit from.
 */
static bool forget_address(struct datapath *datapath, const struct sl_limit *limit,
			   const struct ip *ip)
{
	struct sl_source key = limit_source(limit, &ip->addr, ip->family);
	bool forgotten = datapath_forget_source(datapath, &key) == 0;

	key.id = limit->replaced;
	if (key.id)
		forgotten |= datapath_forget_source(datapath, &key) == 0;
	return forgotten;
}

static size_t forget_in_service(const struct service *service, const struct ip *ip)
{
	struct datapath *datapath = service->balancer->datapath;
	size_t forgotten = 0;

	for (unsigned i = 0; i < service->config->n_limits; i++) {
		unsigned index;
		const struct sl_limit *limit = service_limit(service, i + 1, &index);

		if (!limit || service->config->limits[i].per_service != !ip)
			continue;
		forgotten += ip ? forget_address(datapath, limit, ip)
				: datapath_forget_total(datapath, index) == 0;
	}
	return forgotten;
}

size_t balancer_forget(struct balancer *balancer, const struct service *service,
		       const struct ip *ip)
{
	size_t forgotten = 0;

	for (size_t i = 0; i < balancer->config->n_services; i++)
		if (!service || service == balancer->services[i])
			forgotten += forget_in_service(balancer->services[i], ip);
	return forgotten;
}
