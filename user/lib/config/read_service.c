// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

#define TABLE_SIZE_MIN 257

static int read_addresses(struct reader *reader, const struct key *key, const struct node *node,
			  void *object)
{
	struct service_config *service = object;
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

static void emit_addresses(struct writer *writer, const struct key *key, const void *object)
{
	const struct service_config *service = object;
	char text[ADDR_TEXT_SIZE];

	(void)key;
	if (service->n_addresses > 1)
		emit_list(&writer->emit, LAYOUT_FLOW);
	for (size_t i = 0; i < service->n_addresses; i++)
		emit_text(&writer->emit, ip_format(&service->addresses[i], text));
	if (service->n_addresses > 1)
		emit_list_end(&writer->emit);
}

static bool equal_addresses(const struct key *key, const void *left, const void *right)
{
	const struct service_config *a = left, *b = right;
	bool equal = a->n_addresses == b->n_addresses;

	(void)key;
	for (size_t i = 0; i < a->n_addresses && equal; i++)
		equal = ip_equal(&a->addresses[i], &b->addresses[i]);
	return equal;
}

static const struct type type_addresses = {
	.read = read_addresses,
	.emit = emit_addresses,
	.equal = equal_addresses,
};

static int read_service_port(struct reader *reader, const struct key *key, const struct node *node,
			     void *object)
{
	if (node->kind == NODE_TEXT && (strcmp(node->text, "any") == 0 || strchr(node->text, '-')))
		return node_refuse(reader->diag, node, "a port",
				   "a number from 1 to 65535 (this version has neither \"any\" nor "
				   "ranges)");
	return type_port.read(reader, key, node, object);
}

static int read_table_size(struct reader *reader, const struct key *key, const struct node *node,
			   void *object)
{
	unsigned size, prime;
	int error;

	error = read_number(reader, key, node, object);
	if (error)
		return error;
	size = (unsigned)key_number(key, object);
	for (prime = size; !config_is_prime(prime); prime++) /* the range ends with a prime */
		;
	if (prime != size)
		return node_error(reader->diag, node, "%u is not a prime; the next one is %u", size,
				  prime);
	return 0;
}

static int default_table_size(const struct key *key, const struct scope *scope, const void *object,
			      void *to)
{
	key_set_number(key, to, config_default_table_size(object, scope->config->n_services));
	return 0;
}

/* Refuses values that exclude each other. */
static int check_service(struct reader *reader, const struct node *map, void *object)
{
	const struct service_config *service = object;
	int error;

	error = config_check_access(reader, map, &service->access);
	if (error)
		return error;
	if (service->proto == IPPROTO_UDP && service->on_all_down == ON_ALL_DOWN_RESPOND)
		return node_error(reader->diag, node_get(map, "on_all_down"),
				  "the responder speaks HTTP over TCP, and this service is udp; "
				  "write drop, reject or last-known");
	if (service->table_size && !config_has_hashed_table(service))
		return node_error(reader->diag, node_get(map, "table_size")->parent,
				  "%s has no hashed table; leave it out",
				  config_scheduler_name(service->scheduler));
	return 0;
}

/* In the order in which they are read: limits and the check depend on the protocol,
 * backends take the service's port.
 */
static const struct key service_keys[] = {
	{ .name = "name",
	  .required = true,
	  .type = &type_text,
	  .read = read_name,
	  MEMBER(struct service_config, name) },
	{ .name = "address",
	  .required = true,
	  .type = &type_addresses,
	  MEMBERS(struct service_config, addresses, n_addresses) },
	{ .name = "port",
	  .required = true,
	  .type = &type_port,
	  .read = read_service_port,
	  MEMBER(struct service_config, port) },
	{ .name = "protocol",
	  .type = &type_word,
	  MEMBER(struct service_config, proto),
	  .default_number = IPPROTO_TCP,
	  .what = "a protocol",
	  .words = config_proto_words },
	{ .name = "scheduler",
	  .type = &type_word,
	  MEMBER(struct service_config, scheduler),
	  .default_number = SL_SCHEDULER_MAGLEV,
	  .what = "a scheduler",
	  .words = config_scheduler_words },
	{ .name = "affinity",
	  .type = &type_section,
	  .section = &section_affinity,
	  MEMBER(struct service_config, affinity) },
	{ .name = "forward",
	  .type = &type_word,
	  MEMBER(struct service_config, forward),
	  .default_number = SL_FORWARD_NAT,
	  .what = "a way to forward",
	  .words = config_forward_words },
	{ .name = "check",
	  .late = true,
	  .rank = 1,
	  .type = &type_section,
	  .section = &section_check,
	  .read = read_check,
	  MEMBER(struct service_config, check) },
	{ .name = "limit",
	  .rank = 1,
	  .type = &type_array,
	  .section = &section_limit,
	  .read = read_limits,
	  MEMBERS(struct service_config, limits, n_limits) },
	{ .name = "allow",
	  .rank = 1,
	  .type = &type_prefixes,
	  MEMBER(struct service_config, access.allow) },
	{ .name = "deny",
	  .rank = 1,
	  .type = &type_prefixes,
	  MEMBER(struct service_config, access.deny) },
	{ .name = "respond",
	  .rank = 1,
	  .type = &type_section,
	  .section = &section_respond,
	  MEMBER(struct service_config, respond) },
	{ .name = "on_all_down",
	  .type = &type_word,
	  MEMBER(struct service_config, on_all_down),
	  .default_number = ON_ALL_DOWN_DROP,
	  .what = "an answer",
	  .words = config_on_all_down_words },
	{ .name = "min_healthy",
	  .type = &type_min_healthy,
	  MEMBERS(struct service_config, min_healthy, min_healthy_percent),
	  .what = "a count of backends",
	  .want = "a number from 0 to 65536 or a share from 0% to 100%, like 2 or 50%" },
	{ .name = "slow_start",
	  .type = &type_duration,
	  MEMBER(struct service_config, slow_start_ms),
	  .min = 1000,
	  .max = 3600 * 1000,
	  .what = "a slow start",
	  .want = "from 1s to 1h, like 30s" },
	{ .name = "table_size",
	  .type = &type_number,
	  .read = read_table_size,
	  MEMBER(struct service_config, table_size),
	  .default_from = default_table_size,
	  .min = TABLE_SIZE_MIN,
	  .max = CONFIG_TABLE_SIZE_MAX,
	  .what = "a table size" },
	{ .name = "backends",
	  .required = true,
	  .rank = 1,
	  .type = &type_list,
	  .section = &section_backend,
	  .read = read_backends,
	  MEMBERS(struct service_config, backends, n_backends),
	  .max = CONFIG_BACKENDS_MAX,
	  .what = "a list of backends",
	  .want = "write a line \"- {address: ..., port: ...}\" for each" },
};

const struct section section_service = {
	SECTION("a service", service_keys, struct service_config),
	.is_service = true,
	.has_lines = true,
	.check = check_service,
};

static int read_service(struct reader *reader, const struct node *node, void *items, size_t index)
{
	struct service_config *service = (struct service_config *)items + index;
	int error;

	service->line = node->line;
	reader->scope.service = service;
	error = read_section(&section_service, reader, node, service);
	service->faulty = error != 0;
	return error;
}

int read_services(struct reader *reader, const struct key *key, const struct node *node,
		  void *object)
{
	return read_list(reader, key, node, object, read_service);
}
