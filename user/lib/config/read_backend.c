// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a backend. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

static int read_backend_address(struct reader *reader, const struct key *key,
				const struct node *node, void *object)
{
	return read_address(reader, node, key_target(key, object));
}

static void emit_address(struct writer *writer, const struct key *key, const void *object)
{
	char text[ADDR_TEXT_SIZE];

	emit_text(&writer->emit, ip_format(key_value(key, object), text));
}

static bool equal_address(const struct key *key, const void *a, const void *b)
{
	return ip_equal(key_value(key, a), key_value(key, b));
}

static const struct type type_address = {
	.size = sizeof(struct ip),
	.read = read_backend_address,
	.emit = emit_address,
	.equal = equal_address,
};

/* The service's. */
static int default_port(const struct key *key, const struct scope *scope, const void *object,
			void *to)
{
	(void)object;
	key_set_number(key, to, scope->service->port);
	return 0;
}

/* address:port, which may be the default one itself. */
static int default_name(const struct key *key, const struct scope *scope, const void *object,
			void *to)
{
	const struct backend_config *backend = object;
	__be16 port = backend->port ? backend->port : scope->service->port;
	char **name = key_target(key, to);
	char text[ENDPOINT_TEXT_SIZE];

	*name = strdup(endpoint_format(&backend->ip, port, text));
	return *name ? 0 : -ENOMEM;
}

static const struct key backend_keys[] = {
	{ .name = "name",
	  .type = &type_text,
	  .read = read_name,
	  MEMBER(struct backend_config, name),
	  .default_from = default_name },
	{ .name = "address",
	  .required = true,
	  .late = true,
	  .type = &type_address,
	  MEMBER(struct backend_config, ip) },
	{ .name = "port",
	  .type = &type_port,
	  MEMBER(struct backend_config, port),
	  .default_from = default_port },
	{ .name = "weight",
	  .type = &type_number,
	  MEMBER(struct backend_config, weight),
	  .default_number = 1,
	  .min = 0,
	  .max = CONFIG_WEIGHT_MAX,
	  .what = "a weight" },
	{ .name = "backup",
	  .type = &type_bool,
	  MEMBER(struct backend_config, backup),
	  .what = "true or false" },
	{ .name = "state",
	  .type = &type_word,
	  MEMBER(struct backend_config, admin_state),
	  .what = "a state",
	  .words = config_admin_state_words },
};

const struct section section_backend = {
	SECTION("a backend", backend_keys, struct backend_config),
};

static int read_backend(struct reader *reader, const struct node *node, void *items, size_t index)
{
	struct backend_config *backend = (struct backend_config *)items + index;

	backend->line = node->line;
	return read_section(&section_backend, reader, node, backend);
}

int read_backends(struct reader *reader, const struct key *key, const struct node *node,
		  void *object)
{
	size_t count;
	int error;

	error = read_list_size(reader, key, node, &count);
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
	return read_list(reader, key, node, object, read_backend);
}
