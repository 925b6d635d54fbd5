// SPDX-License-Identifier: BSD-2-Clause
/* Reads lists whose items are sections. */
#include <errno.h>

#include "lib/base/diag.h"
#include "lib/config/read.h"
#include "lib/config/types.h"

int read_list_size(struct reader *reader, const struct key *key, const struct node *node,
		   size_t *ret_count)
{
	size_t count;

	if (node_is_empty(node)) {
		*ret_count = 0;
		return 0;
	}
	if (node->kind != NODE_LIST)
		return node_refuse(reader->diag, node, key->what, key->want);
	count = node_count(node);
	if (count > key->max)
		return node_error(reader->diag, node, "%zu %s are too many; at most %llu", count,
				  key->name, key->max);
	*ret_count = count;
	return 0;
}

int read_list(struct reader *reader, const struct key *key, const struct node *node, void *object,
	      read_item_fn *read_item)
{
	const struct section *section = key->section;
	const struct node *item = node->first;
	size_t count;
	int kept = 0, error;
	char *items;

	error = read_list_size(reader, key, node, &count);
	if (error || !count)
		return error;
	items = list_new(key, object, count);
	if (!items)
		return read_out_of_memory(reader);
	for (size_t i = 0; i < count; i++, item = item->next) {
		if (section_init(section, NULL, NULL, items + i * section->size) != 0)
			return read_out_of_memory(reader);
		error = read_item(reader, item, items, i);
		if (error && !diag_keep(reader->diag, error))
			return error;
		kept = error ? -DIAG_KEPT : kept;
	}
	return kept;
}
