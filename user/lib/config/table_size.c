// SPDX-License-Identifier: BSD-2-Clause
/* The number of slots of a service's table, by the kind of table that its scheduler has. */
#include "lib/base/array.h"
#include "lib/base/divisor.h"
#include "lib/config/read.h"

/* Slots for each backend: enough for shares that are even to about 1 %. */
#define SLOTS_PER_BACKEND 100

/* With more services than this, tables are sized by their backends, lest small
 * services take memory that they have no use for.
 */
#define SERVICES_FEW           512
#define SLOTS_PER_BACKEND_MANY 250

bool config_is_prime(unsigned number)
{
	unsigned divisor;

	for (divisor = 2; divisor <= number / divisor; divisor++) {
		if (number % divisor == 0)
			return false;
	}
	return number >= 2;
}

unsigned config_table_size(size_t n_backends, size_t n_services)
{
	static const unsigned primes[] = {
		1021,   2039,   4093,
		8191,   16381,  CONFIG_TABLE_SIZE_DEFAULT,
		131071, 655373, CONFIG_TABLE_SIZE_MAX,
	};
	size_t wanted = n_backends * SLOTS_PER_BACKEND;
	size_t i = 0;

	if (wanted <= CONFIG_TABLE_SIZE_DEFAULT) {
		wanted = CONFIG_TABLE_SIZE_DEFAULT;
		if (n_services > SERVICES_FEW && n_backends * SLOTS_PER_BACKEND_MANY < wanted)
			wanted = n_backends * SLOTS_PER_BACKEND_MANY;
	}
	while (i < ARRAY_SIZE(primes) - 1 && primes[i] < wanted)
		i++;
	return primes[i];
}

unsigned config_turns(const struct service_config *service, __u8 family, bool backup)
{
	unsigned divisor = 0;
	unsigned sum = 0; /* fits: 65536 backends of weight 65535 */

	for (size_t i = 0; i < service->n_backends; i++) {
		const struct backend_config *backend = &service->backends[i];

		if (backend->ip.family != family || backend->backup != backup)
			continue;
		divisor = greatest_divisor(backend->weight, divisor);
		sum += backend->weight;
	}
	return divisor ? sum / divisor : 0;
}

static unsigned count_family(const struct service_config *service, __u8 family)
{
	unsigned count = 0;

	for (size_t i = 0; i < service->n_backends; i++)
		count += service->backends[i].ip.family == family;
	return count;
}

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Of the addresses' rounds, with the backups or without, the longest. */
static unsigned longest_round(const struct service_config *service)
{
	unsigned v4 = larger(config_turns(service, SL_FAMILY_IPV4, false),
			     config_turns(service, SL_FAMILY_IPV4, true));
	unsigned v6 = larger(config_turns(service, SL_FAMILY_IPV6, false),
			     config_turns(service, SL_FAMILY_IPV6, true));

	return larger(v4, v6);
}

unsigned config_default_table_size(const struct service_config *service, size_t n_services)
{
	switch (sl_scheduler_table(service->scheduler)) {
	case SL_TABLE_MAGLEV:
		return config_table_size(service->n_backends, n_services);
	case SL_TABLE_TURNS:
		return larger(longest_round(service), 1);
	case SL_TABLE_LIST:
		return larger(count_family(service, SL_FAMILY_IPV4),
			      count_family(service, SL_FAMILY_IPV6));
	}
	return 0;
}

bool config_has_hashed_table(const struct service_config *service)
{
	return sl_scheduler_table(service->scheduler) == SL_TABLE_MAGLEV;
}
