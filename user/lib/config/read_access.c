// SPDX-License-Identifier: BSD-2-Clause
/* Lists of prefixes (allow, deny, exempt): what they hold themselves, and the files
 * that they name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/diag.h"
#include "lib/config/prefix_file.h"
#include "lib/config/prefix_list.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

#define LINE_ITEMS_MAX 8 /* of a list that stands in one line */

static const char item_want[] = "write one like 192.0.2.0/24, 2001:db8::/32, an address, or "
				"{file: PATH}";

static const struct key file_keys[] = {
	{ .name = "file",
	  .required = true,
	  .type = &type_text,
	  .read = config_read_file_name,
	  .size = sizeof(char *),
	  .what = "a file of prefixes",
	  .want = "a path of up to 1023 printable ASCII characters, like /etc/sluice/deny.txt" },
};

static const struct section file_section = { SECTION("an entry of prefixes", file_keys, char *) };

/* list->files has room for it. */
static int read_file_item(struct reader *reader, const struct node *node, struct prefix_room *room)
{
	struct prefix_list *list = room->list;
	int error;

	error = read_section(&file_section, reader, node, &list->files[list->n_files]);
	if (error)
		return error;
	list->n_files++;
	return config_read_prefix_file(reader, node_get(node, "file"),
				       list->files[list->n_files - 1], room);
}

/* list->written has room for it. */
static int read_prefix_item(struct reader *reader, const struct node *node,
			    struct prefix_room *room)
{
	struct prefix_list *list = room->list;
	char fault[PREFIX_FAULT_SIZE];
	struct prefix prefix;
	const char *words;
	int error;

	if (node->kind != NODE_TEXT)
		return node_refuse(reader->diag, node, "a prefix", item_want);
	if (prefix_parse(node->text, &prefix) != 0) {
		words = prefix_fault(node->text, fault);
		return words ? node_error(reader->diag, node, "%s", words)
			     : node_refuse(reader->diag, node, "a prefix", item_want);
	}
	error = prefix_room_add(room, reader, &prefix);
	if (error == -E2BIG)
		return node_error(reader->diag, node,
				  "with this one the configuration has more than %d prefixes, in "
				  "all its lists",
				  CONFIG_PREFIXES_MAX);
	if (error)
		return read_out_of_memory(reader);
	list->written[list->n_written++] = prefix;
	return 0;
}

static int make_room(struct reader *reader, const struct node *node, struct prefix_list *list)
{
	const struct node *item;
	size_t n_files = 0, n = 0;

	for (item = node->first; item; item = item->next) {
		n_files += item->kind == NODE_MAP;
		n++;
	}
	list->files = calloc(n_files + 1, sizeof(*list->files));
	list->written = calloc(n - n_files + 1, sizeof(*list->written));
	return list->files && list->written ? 0 : read_out_of_memory(reader);
}

static int read_prefixes(struct reader *reader, const struct key *key, const struct node *node,
			 void *object)
{
	struct prefix_list *list = key_target(key, object);
	struct prefix_room room = { .list = list };
	const struct node *item;
	int kept, error;

	if (node_is_empty(node))
		return 0;
	if (node->kind != NODE_LIST)
		return node_refuse(reader->diag, node, "a list of prefixes",
				   "write [192.0.2.0/24, {file: PATH}]");
	kept = make_room(reader, node, list);
	if (kept)
		return kept;
	for (item = node->first; item; item = item->next) {
		error = item->kind == NODE_MAP ? read_file_item(reader, item, &room)
					       : read_prefix_item(reader, item, &room);
		if (error && !diag_keep(reader->diag, error))
			return error;
		kept = error ? -DIAG_KEPT : kept;
	}
	if (kept)
		return kept;
	prefix_list_sort(list);
	reader->n_prefixes += list->n;
	return 0;
}

static bool is_long(const struct key *key, const void *object)
{
	const struct prefix_list *list = key_value(key, object);

	return list->n_written + list->n_files > LINE_ITEMS_MAX;
}

static void emit_prefix(struct writer *writer, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	emit_text(&writer->emit, prefix_is_address(prefix) ? ip_format(&prefix->ip, text)
							   : prefix_format(prefix, text));
}

static void emit_prefixes(struct writer *writer, const struct key *key, const void *object)
{
	const struct prefix_list *list = key_value(key, object);

	emit_list(&writer->emit, is_long(key, object) ? LAYOUT_BLOCK : LAYOUT_FLOW);
	for (size_t i = 0; i < list->n_written; i++)
		emit_prefix(writer, &list->written[i]);
	for (size_t i = 0; i < list->n_files; i++)
		write_section(writer, &file_section, &list->files[i]);
	emit_list_end(&writer->emit);
}

static bool equal_prefixes(const struct key *key, const void *a, const void *b)
{
	return prefix_list_equal(key_value(key, a), key_value(key, b));
}

static int copy_prefixes(const struct key *key, const void *from, void *to)
{
	return prefix_list_copy(key_value(key, from), key_target(key, to));
}

static void done_prefixes(const struct key *key, void *object)
{
	prefix_list_done(key_target(key, object));
}

const struct type type_prefixes = {
	.size = sizeof(struct prefix_list),
	.read = read_prefixes,
	.emit = emit_prefixes,
	.equal = equal_prefixes,
	.copy = copy_prefixes,
	.done = done_prefixes,
	.is_long = is_long,
};

/* Where a list's text says this prefix, or NULL: a file does. */
static const struct node *find_item(const struct node *list, const struct prefix *wanted)
{
	const struct node *item;
	struct prefix prefix;

	for (item = list->first; item; item = item->next) {
		if (item->kind == NODE_TEXT && prefix_parse(item->text, &prefix) == 0 &&
		    prefix_compare(&prefix, wanted) == 0)
			return item;
	}
	return NULL;
}

int config_check_access(const struct reader *reader, const struct node *map,
			const struct access_config *access)
{
	const struct prefix *both = prefix_list_common(&access->allow, &access->deny);
	const struct node *allow = node_get(map, "allow");
	const struct node *deny = node_get(map, "deny");
	char text[PREFIX_TEXT_SIZE];
	const struct node *item;

	if (allow && !access->allow.n)
		return node_error(reader->diag, allow,
				  "has no prefix, so nobody would be let in; leave it out to let "
				  "everybody in, or write deny: [0.0.0.0/0, \"::/0\"]");
	if (!both)
		return 0;
	(void)prefix_format(both, text);
	item = find_item(deny, both);
	if (item)
		return node_error(reader->diag, item, "%s stands in allow too; keep one", text);
	item = find_item(allow, both);
	if (item)
		return node_error(reader->diag, item, "%s stands in a file of deny too; keep one",
				  text);
	return node_error(reader->diag, deny,
			  "%s stands in a file of these, and in one of allow too; keep one", text);
}
