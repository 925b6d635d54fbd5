// SPDX-License-Identifier: BSD-2-Clause
/* The document's own keys. The sections that they lead to are in config/read_service.c
 * and its neighbours.
 */
#include "lib/base/array.h"
#include "lib/config/config.h"
#include "lib/config/read.h"
#include "lib/config/types.h"

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
	  MEMBERS(struct config, hash_seed, hash_seed_file),
	  .default_number = SL_DEFAULT_HASH_SEED,
	  .what = "a seed",
	  .want = "a number of 64 bits, decimal or like 0x5eed, or a text of up to 128 bytes "
		  "that begins with a letter, or {file: PATH}" },
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
	{ .name = "unserved",
	  .type = &type_word,
	  MEMBER(struct config, unserved),
	  .words = config_unserved_words,
	  .default_number = SL_UNSERVED_DROP,
	  .what = "a way to treat packets that are for no service" },
	{ .name = "allow", .type = &type_prefixes, MEMBER(struct config, access.allow) },
	{ .name = "deny", .type = &type_prefixes, MEMBER(struct config, access.deny) },
	{ .name = "defaults", .read = read_defaults },
	{ .name = "interfaces",
	  .type = &type_list,
	  .section = &section_interface,
	  .read = read_interfaces,
	  MEMBERS(struct config, interfaces, n_interfaces),
	  .max = CONFIG_INTERFACES_MAX,
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
