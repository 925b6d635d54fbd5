// SPDX-License-Identifier: BSD-2-Clause
/* The interfaces that the program is attached to. */
#include <net/if.h>
#include <string.h>

#include "lib/config/read.h"
#include "lib/config/types.h"

/* A name that the kernel takes, and that shows as what it is. */
static int read_interface_name(struct reader *reader, const struct key *key,
			       const struct node *node, void *object)
{
	bool good = node->kind == NODE_TEXT && node->length && node->length < IF_NAMESIZE &&
		    strcmp(node->text, ".") != 0 && strcmp(node->text, "..") != 0;

	for (size_t i = 0; good && i < node->length; i++)
		good = node->text[i] > 0x20 && node->text[i] < 0x7f && !strchr("/:", node->text[i]);
	if (!good)
		return node_refuse(reader->diag, node, "an interface's name",
				   "1 to 15 characters without spaces, / and :, like eth0");
	return read_set_text(reader, node->text, key_target(key, object));
}

static const struct key interface_keys[] = {
	{ .name = "name",
	  .required = true,
	  .type = &type_text,
	  .read = read_interface_name,
	  MEMBER(struct interface_config, name) },
	{ .name = "mode",
	  .type = &type_word,
	  MEMBER(struct interface_config, mode),
	  .default_number = ATTACH_AUTO,
	  .what = "a mode",
	  .words = config_mode_words },
};

const struct section section_interface = {
	SECTION("an interface", interface_keys, struct interface_config),
	.has_short = true,
};

static int read_interface(struct reader *reader, const struct node *node, void *items, size_t index)
{
	struct interface_config *interfaces = items;
	struct interface_config *interface = &interfaces[index];
	int error;

	if (node->kind == NODE_TEXT) /* an empty one too: it is told as a name */
		error = read_interface_name(reader, &interface_keys[0], node, interface);
	else
		error = read_section(&section_interface, reader, node, interface);
	if (error)
		return error;
	for (size_t i = 0; i < index; i++) {
		if (strcmp(interfaces[i].name, interface->name) == 0)
			return node_error(reader->diag, node,
					  "the interface %s is listed twice; keep one",
					  interface->name);
	}
	return 0;
}

int read_interfaces(struct reader *reader, const struct key *key, const struct node *node,
		    void *object)
{
	return read_list(reader, key, node, object, read_interface);
}
