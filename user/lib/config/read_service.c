// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service and of its backends. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/units.h"
#include "lib/config/read.h"

#define TABLE_SIZE_MIN 257

static const struct key backend_keys[] = {
	{ .name = "name", .read = read_name, .offset = offsetof(struct backend_config, name) },
	{ .name = "address", .required = true },
	{ .name = "port", .read = read_port, .offset = offsetof(struct backend_config, port) },
	{ .name = "weight",
	  .read = read_number,
	  .offset = offsetof(struct backend_config, weight),
	  .min = 0,
	  .max = CONFIG_WEIGHT_MAX,
	  .what = "a weight" },
	{ .name = "backup",
	  .read = read_bool,
	  .offset = offsetof(struct backend_config, backup),
	  .what = "true or false" },
	{ .name = "state",
	  .read = read_word,
	  .offset = offsetof(struct backend_config, admin_state),
	  .what = "a state",
	  .words = config_admin_state_words },
};

static const struct section backend_section = SECTION("a backend", backend_keys);

static int read_backend(struct reader *reader, const struct node *node, __be16 service_port,
			struct backend_config *backend)
{
	char name[ENDPOINT_TEXT_SIZE];
	int error;

	backend->line = node->line;
	backend->port = service_port;
	backend->weight = 1;
	error = read_section(&backend_section, reader, node, backend);
	if (error)
		return error;
	error = read_address(reader, node_get(node, "address"), &backend->ip);
	if (error || backend->name)
		return error;
	return read_set_text(reader, endpoint_format(&backend->ip, backend->port, name),
			     &backend->name);
}

static int read_backends(struct reader *reader, const struct key *key, const struct node *node,
			 void *target)
{
	struct service_config *service = target;
	const struct node *item = node->first;
	size_t count, i;
	int error;

	error = read_list_size(key, reader, node, &count);
	if (error)
		return error;
	if (!count)
		return node_error(reader->diag, node, "a service needs 1 backend or more");
	reader->n_backends += count;
	if (reader->n_backends > CONFIG_BACKENDS_MAX)
		return node_error(
			reader->diag, node,
			"with these the file has %zu backends; at most %d in all services",
			reader->n_backends, CONFIG_BACKENDS_MAX);
	service->backends = calloc(count, sizeof(*service->backends));
	if (!service->backends)
		return read_out_of_memory(reader);
	service->n_backends = count;
	for (i = 0; i < count && !error; i++, item = item->next)
		error = read_backend(reader, item, service->port, &service->backends[i]);
	return error;
}

static int read_addresses(struct reader *reader, const struct key *key, const struct node *node,
			  void *target)
{
	struct service_config *service = target;
	const struct node *item = node->kind == NODE_LIST ? node->first : node;
	size_t n = 0;
	int error;

	(void)key;
	if (node->kind == NODE_LIST && (!item || node_count(node) > CONFIG_ADDRESSES_MAX))
		return node_error(reader->diag, node, "a service has 1 to %d addresses",
				  CONFIG_ADDRESSES_MAX);
	for (; item; item = node->kind == NODE_LIST ? item->next : NULL) {
		error = read_address(reader, item, &service->addresses[n]);
		if (error)
			return error;
		n++;
	}
	service->n_addresses = n;
	return 0;
}

static int read_service_port(struct reader *reader, const struct key *key, const struct node *node,
			     void *target)
{
	if (node->kind == NODE_TEXT && (strcmp(node->text, "any") == 0 || strchr(node->text, '-')))
		return node_refuse(reader->diag, node, "a port",
				   "a number from 1 to 65535 (this version has neither \"any\" nor "
				   "ranges)");
	return read_port(reader, key, node, target);
}

static int read_protocol(struct reader *reader, const struct key *key, const struct node *node,
			 void *target)
{
	int proto;
	int error;

	error = read_word(reader, key, node, &proto);
	if (!error)
		*(__u8 *)target = (__u8)proto;
	return error;
}

static int read_table_size(struct reader *reader, const struct key *key, const struct node *node,
			   void *target)
{
	unsigned size, prime;
	int error;

	error = read_number(reader, key, node, &size);
	if (error)
		return error;
	for (prime = size; !config_is_prime(prime); prime++) /* the range ends with a prime */
		;
	if (prime != size)
		return node_error(reader->diag, node, "%u is not a prime; the next one is %u", size,
				  prime);
	*(unsigned *)target = size;
	return 0;
}

/* In the order in which they are read: limits depend on the protocol, backends take
 * the service's port.
 */
static const struct key service_keys[] = {
	{ .name = "name",
	  .required = true,
	  .read = read_name,
	  .offset = offsetof(struct service_config, name) },
	{ .name = "address", .required = true, .read = read_addresses },
	{ .name = "port",
	  .required = true,
	  .read = read_service_port,
	  .offset = offsetof(struct service_config, port) },
	{ .name = "protocol",
	  .read = read_protocol,
	  .offset = offsetof(struct service_config, proto),
	  .what = "a protocol",
	  .words = config_proto_words },
	{ .name = "scheduler",
	  .read = read_word,
	  .offset = offsetof(struct service_config, scheduler),
	  .what = "a scheduler",
	  .words = config_scheduler_words },
	{ .name = "affinity",
	  .read = read_affinity,
	  .offset = offsetof(struct service_config, affinity) },
	{ .name = "forward",
	  .read = read_word,
	  .offset = offsetof(struct service_config, forward),
	  .what = "a way to forward",
	  .words = config_forward_words },
	{ .name = "check" },
	{ .name = "limit", .read = read_limits },
	{ .name = "allow",
	  .read = read_prefixes,
	  .offset = offsetof(struct service_config, access.allow) },
	{ .name = "deny",
	  .read = read_prefixes,
	  .offset = offsetof(struct service_config, access.deny) },
	{ .name = "respond",
	  .read = read_respond,
	  .offset = offsetof(struct service_config, respond) },
	{ .name = "on_all_down",
	  .read = read_word,
	  .offset = offsetof(struct service_config, on_all_down),
	  .what = "an answer",
	  .words = config_on_all_down_words },
	{ .name = "min_healthy",
	  .read = read_min_healthy,
	  .what = "a count of backends",
	  .want = "a number from 0 to 65536 or a share from 0% to 100%, like 2 or 50%" },
	{ .name = "slow_start",
	  .read = read_duration,
	  .offset = offsetof(struct service_config, slow_start_ms),
	  .min = 1000,
	  .max = 3600 * 1000,
	  .what = "a slow start",
	  .want = "from 1s to 1h, like 30s" },
	{ .name = "table_size",
	  .read = read_table_size,
	  .offset = offsetof(struct service_config, table_size),
	  .min = TABLE_SIZE_MIN,
	  .max = CONFIG_TABLE_SIZE_MAX,
	  .what = "a table size" },
	{ .name = "backends",
	  .required = true,
	  .read = read_backends,
	  .max = CONFIG_BACKENDS_MAX,
	  .what = "a list of backends",
	  .want = "write a line \"- {address: ..., port: ...}\" for each" },
};

static const struct section service_section = SECTION("a service", service_keys);

static int read_service(struct reader *reader, const struct node *node, size_t n_services,
			struct service_config *service)
{
	int error;

	service->line = node->line;
	service->proto = IPPROTO_TCP;
	service->forward = SL_FORWARD_NAT;
	service->affinity = config_default_affinity();
	service->respond = config_default_respond();
	error = read_section(&service_section, reader, node, service);
	if (!error)
		error = config_check_access(reader, node, &service->access);
	if (error)
		return error;
	if (service->proto == IPPROTO_UDP && service->on_all_down == ON_ALL_DOWN_RESPOND)
		return node_error(reader->diag, node_get(node, "on_all_down"),
				  "the responder speaks HTTP over TCP, and this service is udp; "
				  "write drop, reject or last-known");
	if (service->table_size && !config_has_hashed_table(service))
		return node_error(reader->diag, node_get(node, "table_size")->parent,
				  "%s has no hashed table; leave it out",
				  config_scheduler_name(service->scheduler));
	if (!service->table_size)
		service->table_size = config_default_table_size(service, n_services);
	return read_check(reader, node_get(node, "check"), service->proto, &service->check);
}

int read_services(struct reader *reader, const struct key *key, const struct node *node,
		  void *target)
{
	struct config *config = target;
	const struct node *item = node->first;
	size_t count, i;
	int error;

	error = read_list_size(key, reader, node, &count);
	if (error || !count)
		return error;
	config->services = calloc(count, sizeof(*config->services));
	if (!config->services)
		return read_out_of_memory(reader);
	config->n_services = count;
	for (i = 0; i < count && !error; i++, item = item->next)
		error = read_service(reader, item, count, &config->services[i]);
	return error;
}
