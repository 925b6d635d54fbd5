// SPDX-License-Identifier: BSD-2-Clause
#include "takeover/world.h"

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/access.h"
#include "daemon/datapath/datapath.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/limits.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"
#include "sluice/slot.h"

#define LOOPBACK       1 /* the interface that test runs come in by */
#define BACKENDS_MAX   16

#define SMALLEST_TABLE 257

void world_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fflush(stdout);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

struct config *world_parse(const char *text)
{
	struct config *config;
	struct diag diag = {};

	if (config_parse(text, strlen(text), "world", &diag, &config))
		world_fail("%s", diag.text);
	/* A slot is a write, and a configuration may not ask for as few as are enough here. */
	for (size_t i = 0; i < config->n_services; i++)
		if (config->services[i].table_size >= SMALLEST_TABLE)
			config->services[i].table_size =
				config->services[i].table_size == SMALLEST_TABLE ? 7 : 11;
	return config;
}

/* ---- putting it there ------------------------------------------------------------ */

static const struct sl_hop responder = {
	.dst_mac = { 2, 0xbe, 0, 0, 0, 0xee },
	.src_mac = { 2, 0x5c, 0, 0, 0, 1 },
	.ifindex = LOOPBACK,
	.mtu = 1500,
};

static void fill_inputs(const struct service_config *service, struct plan_input *inputs)
{
	check(service->n_backends <= BACKENDS_MAX);
	for (size_t i = 0; i < service->n_backends; i++)
		inputs[i] = (struct plan_input){
			.weight = service->backends[i].weight,
			.admin_state = service->backends[i].admin_state,
			.resolved = true,
			.hop = { .dst_mac = { 2, 0xbe, 0, 0, 0,
					      service->backends[i].ip.addr.bytes[15] },
				 .src_mac = { 2, 0x5c, 0, 0, 0, 1 },
				 .ifindex = LOOPBACK,
				 .mtu = 1500 },
		};
}

static void apply_service(struct datapath *datapath, const struct service_config *service)
{
	struct plan_input inputs[BACKENDS_MAX];
	struct sl_key keys[CONFIG_ADDRESSES_MAX];
	unsigned limits, access;
	struct diag diag = {};

	fill_inputs(service, inputs);
	for (size_t i = 0; i < service->n_addresses; i++)
		keys[i] = plan_service_key(service, &service->addresses[i]);
	if (datapath_put_access(datapath, &service->access, keys, service->n_addresses, &diag,
				&access) ||
	    datapath_put_limits(datapath, service, keys, service->n_addresses, &diag, &limits))
		world_fail("%s: %s", service->name, diag.text);
	for (size_t i = 0; i < service->n_addresses; i++) {
		_cleanup_(plan_done) struct plan plan = {};

		check(!plan_build(service, &service->addresses[i], inputs,
				  config_responds(service) ? &responder : NULL, &plan));
		plan.limits = limits;
		plan.access = access;
		if (datapath_apply(datapath, &plan, &diag))
			world_fail("%s: %s", service->name, diag.text);
	}
}

void world_apply(struct datapath *datapath, const struct config *config)
{
	struct diag diag = {};

	if (datapath_put_access_all(datapath, &config->access, &diag))
		world_fail("%s", diag.text);
	datapath_unclaim(datapath);
	for (size_t i = 0; i < config->n_services; i++)
		apply_service(datapath, &config->services[i]);
	datapath_remove_unclaimed(datapath);
}

/* ---- what is there --------------------------------------------------------------- */

static unsigned count_words(const struct directory *directory)
{
	unsigned n = 0;

	for (unsigned i = 0; i < directory->size; i++)
		n += directory->words[i] != SL_DIRECTORY_EMPTY &&
		     directory->words[i] != SL_DIRECTORY_REMOVED;
	return n;
}

static unsigned count_prefixes(const struct maps *maps)
{
	int fd = maps->map[MAP_PREFIXES].fd;
	struct sl_prefix key, last;
	unsigned n = 0;

	for (; !bpf_map_get_next_key(fd, n ? &last : NULL, &key); n++)
		last = key;
	return n;
}

/* How many prefixes of the map the lists make. */
static size_t prefixes_of(const struct access_config *access)
{
	return access->allow.n + access->deny.n + (access->allow.n ? 2 : 0);
}

static void check_replies(const struct datapath *datapath, const struct sl_service *service,
			  unsigned index, const struct sl_key *key)
{
	unsigned entry = directory_find(&datapath->backends.return_dir, key);
	const struct sl_return *reply = &datapath->maps.returns[entry];

	check(entry != SL_DIRECTORY_EMPTY);
	check(reply->backend == index && reply->service == service->id);
	check(!memcmp(&reply->addr, &service->key.addr, sizeof(reply->addr)));
	check(reply->port == service->key.port);
}

/* Every backend of the configuration that takes connections has slots; no other one has. */
static void check_slots(const struct datapath *datapath, const struct service_config *config,
			const struct sl_service *service)
{
	const struct maps *maps = &datapath->maps;
	bool has_slot[BACKENDS_MAX] = { false };

	for (unsigned i = 0; i < service->table_size; i++) {
		unsigned index = sl_slot_current(maps->slots[service->table + i]);
		const struct sl_backend *backend = &maps->backends[index];
		bool found = false;

		check(index != SL_NO_BACKEND);
		for (size_t j = 0; j < config->n_backends; j++) {
			struct sl_key key = plan_backend_key(config, &config->backends[j]);

			if (memcmp(&key.addr, &backend->addr, sizeof(key.addr)) != 0 ||
			    key.port != backend->port || key.family != backend->family)
				continue;
			found = has_slot[j] = true;
			check(backend->forward == config->forward);
			check(backend->state & SL_BACKEND_SERVES &&
			      backend->state & SL_BACKEND_NEW);
			if (sl_forward_returns(config->forward))
				check_replies(datapath, service, index, &key);
		}
		check(found);
	}
	for (size_t j = 0; j < config->n_backends; j++)
		check(has_slot[j] || config->backends[j].ip.family != service->key.family);
}

/* How many returns lead to the service's backends, and to its responder. */
static size_t check_address(const struct datapath *datapath, const struct service_config *config,
			    const struct ip *address)
{
	struct sl_key key = plan_service_key(config, address);
	unsigned entry = directory_find(&datapath->tables.directory, &key);
	const struct sl_service *service = &datapath->maps.services[entry];
	size_t n = config_responds(config);

	check(entry != SL_DIRECTORY_EMPTY);
	check(service->table_size == config->table_size);
	check(service->scheduler == config->scheduler);
	check(service->n_limits == config->n_limits && !service->limits == !config->n_limits);
	check(!service->access == !(config->access.allow.n + config->access.deny.n));
	check(!service->responder == !config_responds(config));
	if (service->responder)
		check_replies(datapath, service, service->responder, &key);
	check_slots(datapath, config, service);
	for (size_t i = 0; sl_forward_returns(config->forward) && i < config->n_backends; i++)
		n += config->backends[i].ip.family == address->family;
	return n;
}

void world_check(const struct datapath *datapath, const struct config *config, unsigned n_denied)
{
	const struct maps *maps = &datapath->maps;
	size_t n_prefixes = prefixes_of(&config->access) + n_denied, n_addresses = 0;
	size_t n_returns = 0;

	for (size_t i = 0; i < config->n_services; i++) {
		const struct service_config *service = &config->services[i];

		n_addresses += service->n_addresses;
		n_prefixes += prefixes_of(&service->access);
		for (size_t j = 0; j < service->n_limits; j++)
			n_prefixes += service->limits[j].exempt.n;
		for (size_t j = 0; j < service->n_addresses; j++)
			n_returns += check_address(datapath, service, &service->addresses[j]);
	}
	check(count_words(&datapath->tables.directory) == n_addresses);
	check(count_words(&datapath->backends.return_dir) == n_returns);
	check(count_prefixes(maps) == n_prefixes);
	check(!(maps->tuning->access & SL_TUNING_RUNTIME) == !n_denied);
}
