// SPDX-License-Identifier: BSD-2-Clause
/* From text to a configuration, whole or not at all: the document's own keys. The
 * sections are read by config/read_service.c and its neighbours, the rules over all
 * of it are in config/rules.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"
#include "lib/config/prefix_file.h"
#include "lib/config/read.h"
#include "lib/config/rules.h"
#include "lib/config/types.h"
#include "lib/config/yaml_tree.h"

#define INTERFACES_MAX 64

static const struct key defaults_keys[] = {
	{ .name = "check", .read = read_check_defaults },
};

static const struct section defaults_section = {
	.what = "defaults",
	.keys = defaults_keys,
	.n_keys = ARRAY_SIZE(defaults_keys),
};

static int read_defaults(struct reader *reader, const struct key *key, const struct node *node,
			 void *object)
{
	(void)key;
	if (node_is_empty(node))
		return 0;
	return read_section(&defaults_section, reader, node, object);
}

static int check_file(struct reader *reader, const struct node *map, void *object)
{
	const struct config *config = object;

	return config_check_access(reader, map, &config->access);
}

/* In the order in which they are read: services start from the defaults. */
static const struct key file_keys[] = {
	{ .name = "hash_seed",
	  .type = &type_seed,
	  MEMBER(struct config, hash_seed),
	  .default_number = SL_DEFAULT_HASH_SEED,
	  .what = "a seed",
	  .want = "a number of 64 bits, decimal or like 0x5eed, or a text of up to 128 bytes "
		  "that begins with a letter" },
	{ .name = "flows",
	  .type = &type_section,
	  .section = &section_flows,
	  MEMBER(struct config, flows) },
	{ .name = "limiter",
	  .type = &type_section,
	  .section = &section_limiter,
	  MEMBER(struct config, limiter) },
	{ .name = "ipip",
	  .type = &type_section,
	  .section = &section_ipip,
	  MEMBER(struct config, ipip) },
	{ .name = "allow", .type = &type_prefixes, MEMBER(struct config, access.allow) },
	{ .name = "deny", .type = &type_prefixes, MEMBER(struct config, access.deny) },
	{ .name = "defaults", .read = read_defaults },
	{ .name = "interfaces",
	  .type = &type_list,
	  .section = &section_interface,
	  .read = read_interfaces,
	  MEMBERS(struct config, interfaces, n_interfaces),
	  .max = INTERFACES_MAX,
	  .what = "a list of interfaces",
	  .want = "write a line \"- name: eth0\" for each" },
	{ .name = "services",
	  .type = &type_list,
	  .section = &section_service,
	  .read = read_services,
	  MEMBERS(struct config, services, n_services),
	  .max = CONFIG_SERVICES_MAX,
	  .what = "a list of services",
	  .want = "write a line \"- name: ...\" for each, its other keys under it" },
};

const struct section section_config = {
	SECTION("a configuration", file_keys, struct config),
	.has_lines = true,
	.check = check_file,
};

static void cleanup_reader(struct reader *reader)
{
	section_done(&section_check, &reader->check);
}

static int read_root(const struct node *root, const char *name, struct diag *diag,
		     struct config *config)
{
	_cleanup_(cleanup_reader) struct reader reader = {
		.diag = diag,
		.name = name,
		.scope.config = config,
	};
	int error;

	if (section_init(&section_check, NULL, NULL, &reader.check) != 0)
		return read_out_of_memory(&reader);
	error = read_section(&section_config, &reader, root, config);
	return error ? error : config_check_rules(config, root, NULL, diag);
}

int config_parse(const char *text, size_t length, const char *name, struct diag *diag,
		 struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(tree_freep) struct tree *tree = NULL;
	int error;

	if (diag) {
		diag->line = 0;
		diag->column = 0;
		(void)snprintf(diag->file, sizeof(diag->file), "%s", name);
	}
	config = calloc(1, sizeof(*config));
	if (!config || section_init(&section_config, NULL, NULL, config) != 0)
		return diag_no_memory(diag);
	error = tree_new(text, length, diag, &tree);
	if (!error && tree_root(tree))
		error = read_root(tree_root(tree), name, diag, config);
	if (error)
		return error;
	*ret_config = TAKE_PTR(config);
	return 0;
}

int config_load(const char *path, struct diag *diag, struct config **ret_config)
{
	_cleanup_(cleanup_free) char *text = NULL;
	_cleanup_(cleanup_close) int fd = -1;
	size_t length = 0;
	int error;

	if (diag) {
		diag->line = 0;
		diag->column = 0;
		(void)snprintf(diag->file, sizeof(diag->file), "%s", path);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	error = fd < 0 ? -errno : config_read_all(fd, &text, &length);
	if (error == -EFBIG)
		return diag_set(diag, EFBIG, "is larger than 64 MiB; no configuration is");
	if (error)
		return diag_set(diag, -error, "cannot be read: %s", strerror(-error));
	return config_parse(text, length, path, diag, ret_config);
}
