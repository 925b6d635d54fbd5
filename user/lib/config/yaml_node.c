// SPDX-License-Identifier: BSD-2-Clause
/* A value of the configuration's text: reading it, naming it, refusing it. */
#include "lib/config/yaml_node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/diag.h"

#define SHOW_MAX  60 /* characters of a text that are shown */
#define PATH_SIZE 256

/* From the document down to a node: a key and a value at each level. */
#define PATH_NODES (2 * (NODE_DEPTH_MAX + 1))

const struct node *node_get(const struct node *map, const char *key)
{
	const struct node *entry;

	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (entry = map->first; entry; entry = entry->next) {
		if (strcmp(entry->text, key) == 0)
			return entry->value;
	}
	return NULL;
}

size_t node_count(const struct node *node)
{
	const struct node *child;
	size_t count = 0;

	for (child = node->first; child; child = child->next)
		count++;
	return count;
}

bool node_is_empty(const struct node *node)
{
	return node->kind == NODE_TEXT && node->length == 0;
}

const char *node_show(const struct node *node, char buffer[static NODE_SHOW_SIZE])
{
	size_t used = 0;
	size_t i;

	for (i = 0; i < node->length && used < SHOW_MAX; i++) {
		unsigned char c = (unsigned char)node->text[i];

		if (c >= 0x20 && c < 0x7f)
			buffer[used++] = (char)c;
		else
			used += (size_t)snprintf(buffer + used, NODE_SHOW_SIZE - used, "\\x%02x",
						 c);
	}
	(void)snprintf(buffer + used, NODE_SHOW_SIZE - used, "%s", i < node->length ? "..." : "");
	return buffer;
}

struct path {
	char text[PATH_SIZE];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void path_add(struct path *path, const char *format,
							   ...)
{
	size_t room = sizeof(path->text) - path->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(path->text + path->used, room, format, args);
	va_end(args);
	if (length > 0)
		path->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* What a list's item is called by: services and interfaces by their name, where
 * that is a plain word; NULL for all else.
 */
static const char *item_name(const struct node *item)
{
	const struct node *list_key = item->parent->parent;
	const struct node *name = node_get(item, "name");

	if (!list_key || !list_key->parent || list_key->parent->parent)
		return NULL; /* not a list right under the document */
	if (!name || name->kind != NODE_TEXT || !name->length || name->length > SHOW_MAX)
		return NULL;
	if (strspn(name->text,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
	    name->length)
		return NULL;
	return name->text;
}

static unsigned item_index(const struct node *item)
{
	const struct node *other;
	unsigned index = 0;

	for (other = item->parent->first; other != item; other = other->next)
		index++;
	return index;
}

static void path_build(struct path *path, const struct node *node)
{
	const struct node *nodes[PATH_NODES];
	char shown[NODE_SHOW_SIZE];
	size_t n = 0;

	for (; node && node->parent && n < PATH_NODES; node = node->parent)
		nodes[n++] = node;
	while (n > 0) {
		node = nodes[--n];
		if (node->parent->kind == NODE_MAP)
			path_add(path, "%s%s", path->used ? "." : "", node_show(node, shown));
		else if (node->parent->kind == NODE_LIST && item_name(node))
			path_add(path, ".%s", item_name(node));
		else if (node->parent->kind == NODE_LIST)
			path_add(path, "[%u]", item_index(node));
	}
	if (path->used)
		path_add(path, ": ");
}

int node_error(struct diag *diag, const struct node *node, const char *format, ...)
{
	char text[sizeof(diag->text)];
	struct path path = {};
	va_list args;

	if (!diag)
		return -EINVAL;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	path_build(&path, node);
	diag->line = node->line;
	diag->column = node->column;
	return diag_set(diag, EINVAL, "%s%s", path.text, text);
}

void node_warn(const struct diag *diag, const struct node *node, const char *format, ...)
{
	char text[sizeof(diag->text)];
	struct path path = {};
	va_list args;

	if (!diag || !diag->list)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	path_build(&path, node);
	diag_warn(diag, node->line, node->column, "%s%s", path.text, text);
}

int node_refuse(struct diag *diag, const struct node *node, const char *what, const char *want)
{
	char shown[NODE_SHOW_SIZE];

	if (node->kind == NODE_LIST)
		return node_error(diag, node, "a list is not %s; %s", what, want);
	if (node->kind == NODE_MAP)
		return node_error(diag, node, "a map is not %s; %s", what, want);
	if (node_is_empty(node))
		return node_error(diag, node, "has no value, wants %s; %s", what, want);
	return node_error(diag, node, "\"%s\" is not %s; %s", node_show(node, shown), what, want);
}

bool node_is_printable(const struct node *node, size_t most)
{
	if (node->kind != NODE_TEXT || !node->length || node->length > most)
		return false;
	for (size_t i = 0; i < node->length; i++)
		if (node->text[i] < 0x20 || node->text[i] >= 0x7f)
			return false;
	return true;
}
