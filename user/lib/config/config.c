// SPDX-License-Identifier: BSD-2-Clause
/* From text to a configuration, whole or not at all: the document's own keys,
 * the file's life, and finding things in it. What the sections hold is read by
 * config/read_service.c and its neighbours, the rules over all of it are in
 * config/rules.c.
 */
#include "lib/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/prefix_file.h"
#include "lib/config/prefix_list.h"
#include "lib/config/read.h"
#include "lib/config/rules.h"
#include "lib/config/yaml_tree.h"

#define INTERFACES_MAX 64

/* A name that the kernel takes, and that shows as what it is. */
static int read_interface_name(struct reader *reader, const struct key *key,
			       const struct node *node, void *target)
{
	bool good = node->kind == NODE_TEXT && node->length && node->length < IF_NAMESIZE &&
		    strcmp(node->text, ".") != 0 && strcmp(node->text, "..") != 0;

	(void)key;
	for (size_t i = 0; good && i < node->length; i++)
		good = node->text[i] > 0x20 && node->text[i] < 0x7f && !strchr("/:", node->text[i]);
	if (!good)
		return node_refuse(reader->diag, node, "an interface's name",
				   "1 to 15 characters without spaces, / and :, like eth0");
	return read_set_text(reader, node->text, target);
}

static const struct key interface_keys[] = {
	{ .name = "name",
	  .required = true,
	  .read = read_interface_name,
	  .offset = offsetof(struct interface_config, name) },
	{ .name = "mode",
	  .read = read_word,
	  .offset = offsetof(struct interface_config, mode),
	  .what = "a mode",
	  .words = config_mode_words },
};

static const struct section interface_section = SECTION("an interface", interface_keys);

static int read_interface(struct reader *reader, const struct node *node, struct config *config,
			  size_t index)
{
	struct interface_config *interface = &config->interfaces[index];
	int error;

	if (node->kind == NODE_TEXT)
		error = read_interface_name(reader, NULL, node, &interface->name);
	else
		error = read_section(&interface_section, reader, node, interface);
	if (error)
		return error;
	for (size_t i = 0; i < index; i++) {
		if (strcmp(config->interfaces[i].name, interface->name) == 0)
			return node_error(reader->diag, node,
					  "the interface %s is listed twice; keep one",
					  interface->name);
	}
	return 0;
}

int read_interfaces(struct reader *reader, const struct key *key, const struct node *node,
		    void *target)
{
	struct config *config = target;
	const struct node *item = node->first;
	size_t count, i;
	int error;

	error = read_list_size(key, reader, node, &count);
	if (error || !count)
		return error;
	config->interfaces = calloc(count, sizeof(*config->interfaces));
	if (!config->interfaces)
		return read_out_of_memory(reader);
	config->n_interfaces = count;
	for (i = 0; i < count && !error; i++, item = item->next)
		error = read_interface(reader, item, config, i);
	return error;
}

static const struct key defaults_keys[] = {
	{ .name = "check", .read = read_check_defaults },
};

static const struct section defaults_section = SECTION("defaults", defaults_keys);

static int read_defaults(struct reader *reader, const struct key *key, const struct node *node,
			 void *target)
{
	(void)key;
	if (node_is_empty(node))
		return 0;
	return read_section(&defaults_section, reader, node, target);
}

/* In the order in which they are read: services start from the defaults. */
static const struct key file_keys[] = {
	{ .name = "hash_seed",
	  .read = read_hash_seed,
	  .offset = offsetof(struct config, hash_seed),
	  .what = "a seed",
	  .want = "a number of 64 bits, decimal or like 0x5eed, or a text of up to 128 bytes "
		  "that begins with a letter" },
	{ .name = "flows", .read = read_flows, .offset = offsetof(struct config, flows) },
	{ .name = "limiter", .read = read_limiter, .offset = offsetof(struct config, limiter) },
	{ .name = "ipip", .read = read_ipip, .offset = offsetof(struct config, ipip) },
	{ .name = "allow", .read = read_prefixes, .offset = offsetof(struct config, access.allow) },
	{ .name = "deny", .read = read_prefixes, .offset = offsetof(struct config, access.deny) },
	{ .name = "defaults", .read = read_defaults },
	{ .name = "interfaces",
	  .read = read_interfaces,
	  .max = INTERFACES_MAX,
	  .what = "a list of interfaces",
	  .want = "write a line \"- name: eth0\" for each" },
	{ .name = "services",
	  .read = read_services,
	  .max = CONFIG_SERVICES_MAX,
	  .what = "a list of services",
	  .want = "write a line \"- name: ...\" for each, its other keys under it" },
};

static const struct section file_section = SECTION("a configuration", file_keys);

static void cleanup_reader(struct reader *reader)
{
	check_config_done(&reader->check);
}

static int read_root(const struct node *root, const char *name, struct diag *diag,
		     struct config *config)
{
	_cleanup_(cleanup_reader) struct reader reader = { .diag = diag, .name = name };
	int error;

	if (check_config_init(&reader.check) != 0)
		return read_out_of_memory(&reader);
	error = read_section(&file_section, &reader, root, config);
	if (!error)
		error = config_check_access(&reader, root, &config->access);
	if (error)
		return error;
	return config_check_rules(config, root, NULL, diag);
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
	if (!config)
		return diag_no_memory(diag);
	config->hash_seed = SL_DEFAULT_HASH_SEED;
	config->flows = config_default_flows();
	config->limiter = config_default_limiter();
	config->ipip = config_default_ipip();
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

static void free_service(struct service_config *service)
{
	for (size_t i = 0; i < service->n_backends; i++)
		free(service->backends[i].name);
	free(service->backends);
	for (size_t i = 0; i < service->n_limits; i++) {
		free(service->limits[i].text);
		prefix_list_done(&service->limits[i].exempt);
	}
	check_config_done(&service->check);
	access_done(&service->access);
	free(service->respond.body);
	free(service->respond.content_type);
	free(service->name);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_services; i++)
		free_service(&config->services[i]);
	for (size_t i = 0; i < config->n_interfaces; i++)
		free(config->interfaces[i].name);
	access_done(&config->access);
	free(config->services);
	free(config->interfaces);
	free(config->by_name);
	free(config);
}

static int compare_name(const void *name, const void *service)
{
	return strcmp(name, (*(const struct service_config *const *)service)->name);
}

const struct service_config *config_find_service(const struct config *config, const char *name)
{
	const struct service_config *const *found;

	if (!config->by_name)
		return NULL;
	found = bsearch(name, config->by_name, config->n_services, sizeof(*config->by_name),
			compare_name);
	return found ? *found : NULL;
}
