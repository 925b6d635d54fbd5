// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/sizes.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/balancer.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static void add_access(struct datapath_sizes *sizes, const struct access_config *access)
{
	/* Where some are allowed, all others of both families are denied. */
	sizes->prefixes += (unsigned)(access->allow.n + access->deny.n) + (access->allow.n ? 2 : 0);
}

static void add_address(struct datapath_sizes *sizes, const struct service_config *service,
			const struct ip *address)
{
	sizes->services++;
	/* The responder is one of its backends. */
	sizes->backends++;
	for (size_t i = 0; i < service->n_backends; i++)
		sizes->backends += address->family == service->backends[i].ip.family;
	sizes->slots += service->table_size;
	sizes->tables[sizes->n_tables++] = (struct datapath_table){
		.key = plan_service_key(service, address),
		.scheduler = service->scheduler,
		.size = service->table_size,
	};
}

static size_t count_addresses(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_services; i++)
		n += config->services[i].n_addresses;
	return n;
}

int sizes_needed(const struct config *config, struct datapath_sizes *ret_sizes)
{
	/* Index 0 is no service's and no backend's. */
	struct datapath_sizes sizes = {
		.services = 1,
		.backends = 1,
		.flows = config->flows.size,
		.buckets = config->limiter.buckets,
		.gate = config->limiter.gate,
		.hash_seed = config->hash_seed,
		.tables = calloc(count_addresses(config) + 1, sizeof(*sizes.tables)),
	};

	if (!sizes.tables)
		return -ENOMEM;
	add_access(&sizes, &config->access);
	for (size_t i = 0; i < config->n_services; i++) {
		const struct service_config *service = &config->services[i];

		sizes.limits += (unsigned)service->n_limits;
		add_access(&sizes, &service->access);
		for (size_t j = 0; j < service->n_limits; j++)
			sizes.prefixes += (unsigned)service->limits[j].exempt.n;
		for (size_t j = 0; j < service->n_addresses; j++)
			add_address(&sizes, service, &service->addresses[j]);
	}
	*ret_sizes = sizes;
	return 0;
}

int balancer_check_room(const struct balancer *balancer, const struct config *config,
			struct diag *diag)
{
	struct datapath_sizes needed = {};
	_cleanup_(cleanup_free) struct datapath_table *tables = NULL;
	struct diag reason = {};
	int error = sizes_needed(config, &needed);

	if (error)
		return diag_no_memory(diag);
	tables = needed.tables;
	error = datapath_fits(balancer->datapath, &needed, &reason);
	if (error == -ENOSPC)
		return diag_set(diag, ENOSPC,
				"%s: stop sluiced and start it again, and it makes larger ones",
				reason.text);
	return error ? diag_set(diag, -error, "%s", reason.text) : 0;
}

/* Maps are made for more than the configuration needs, and at least this, so that reloads have
 * room to grow, and for the old beside the new: for twice as many small entries; for twice as
 * many slots, too, until these are most of the memory, and always for another table like the
 * largest.
 */
#define ROOM_SERVICES 1024
#define ROOM_BACKENDS 4096
#define ROOM_SLOTS    (1U << 20)
#define ROOM_LIMITS   512
#define SPARE_SLOTS   (1U << 21)

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static unsigned roomy(unsigned needed, unsigned least)
{
	return needed > least / 2 ? needed * 2 : least;
}

static unsigned roomy_slots(const struct datapath_sizes *needed)
{
	unsigned spare = needed->slots < SPARE_SLOTS ? needed->slots : SPARE_SLOTS;

	spare = larger(spare, needed->slots / 4);
	for (size_t i = 0; i < needed->n_tables; i++)
		spare = larger(spare, needed->tables[i].size);
	return larger(needed->slots + spare, ROOM_SLOTS);
}

struct datapath_sizes sizes_roomy(const struct datapath_sizes *needed)
{
	struct datapath_sizes sizes = *needed;

	sizes.services = roomy(needed->services, ROOM_SERVICES);
	sizes.backends = roomy(needed->backends, ROOM_BACKENDS);
	sizes.slots = roomy_slots(needed);
	sizes.limits = roomy(needed->limits, ROOM_LIMITS);
	return sizes;
}
