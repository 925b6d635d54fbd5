// SPDX-License-Identifier: BSD-2-Clause
/* Sections inside sections: one, some in the struct itself, a list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

/* ---- one ------------------------------------------------------------------- */

static int init_section(const struct key *key, const struct scope *scope, const void *object,
			void *to)
{
	return section_init(key->section, scope, object ? key_value(key, object) : NULL,
			    key_target(key, to));
}

/* A section without a short form may be empty. */
static int read_inner(struct reader *reader, const struct key *key, const struct node *node,
		      void *object)
{
	if (node_is_empty(node) && !key->section->has_short)
		return 0;
	return read_section_or_short(key->section, reader, node, key_target(key, object));
}

static void emit_inner(struct writer *writer, const struct key *key, const void *object)
{
	write_section(writer, key->section, key_value(key, object));
}

static bool equal_inner(const struct key *key, const void *a, const void *b)
{
	return section_equal(key->section, key_value(key, a), key_value(key, b));
}

static int copy_inner(const struct key *key, const void *from, void *to)
{
	return section_copy(key->section, key_value(key, from), key_target(key, to));
}

static void done_inner(const struct key *key, void *object)
{
	section_done(key->section, key_target(key, object));
}

const struct type type_section = {
	.init = init_section,
	.read = read_inner,
	.emit = emit_inner,
	.equal = equal_inner,
	.copy = copy_inner,
	.done = done_inner,
};

/* ---- several --------------------------------------------------------------- */

static size_t *count_of(const struct key *key, void *object)
{
	return (size_t *)((char *)key_target(key, object) + key->size - sizeof(size_t));
}

size_t key_count(const struct key *key, const void *object)
{
	const void *end = (const char *)key_value(key, object) + key->size - sizeof(size_t);

	return *(const size_t *)end;
}

static bool items_equal(const struct key *key, const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++, a += key->section->size, b += key->section->size) {
		if (!section_equal(key->section, a, b))
			return false;
	}
	return true;
}

static int copy_items(const struct key *key, const char *from, char *to, size_t n)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++, from += key->section->size)
		error = section_copy(key->section, from, to + i * key->section->size);
	return error;
}

static void done_items(const struct key *key, char *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		section_done(key->section, items + i * key->section->size);
}

static void emit_items(struct writer *writer, const struct key *key, const char *items, size_t n)
{
	emit_list(&writer->emit, LAYOUT_BLOCK);
	for (size_t i = 0; i < n; i++)
		write_section(writer, key->section, items + i * key->section->size);
	emit_list_end(&writer->emit);
}

/* ---- in the struct ----------------------------------------------------------- */

static void emit_array(struct writer *writer, const struct key *key, const void *object)
{
	if (key_count(key, object) == 1)
		write_section(writer, key->section, key_value(key, object));
	else
		emit_items(writer, key, key_value(key, object), key_count(key, object));
}

static bool equal_array(const struct key *key, const void *a, const void *b)
{
	return key_count(key, a) == key_count(key, b) &&
	       items_equal(key, key_value(key, a), key_value(key, b), key_count(key, a));
}

static int copy_array(const struct key *key, const void *from, void *to)
{
	*count_of(key, to) = key_count(key, from);
	return copy_items(key, key_value(key, from), key_target(key, to), key_count(key, from));
}

static void done_array(const struct key *key, void *object)
{
	done_items(key, key_target(key, object), key_count(key, object));
	*count_of(key, object) = 0;
}

const struct type type_array = {
	.emit = emit_array,
	.equal = equal_array,
	.copy = copy_array,
	.done = done_array,
};

/* ---- lists --------------------------------------------------------------------- */

static char *items_of(const struct key *key, const void *object)
{
	return *(char *const *)key_value(key, object);
}

static void emit_list_of(struct writer *writer, const struct key *key, const void *object)
{
	emit_items(writer, key, items_of(key, object), key_count(key, object));
}

static bool equal_list(const struct key *key, const void *a, const void *b)
{
	return key_count(key, a) == key_count(key, b) &&
	       items_equal(key, items_of(key, a), items_of(key, b), key_count(key, a));
}

void *list_new(const struct key *key, void *object, size_t n)
{
	char *items = calloc(n, key->section->size);

	if (!items)
		return NULL;
	*(char **)key_target(key, object) = items;
	*count_of(key, object) = n;
	return items;
}

static int copy_list(const struct key *key, const void *from, void *to)
{
	size_t n = key_count(key, from);
	char *items;

	if (!n)
		return 0;
	items = list_new(key, to, n);
	return items ? copy_items(key, items_of(key, from), items, n) : -ENOMEM;
}

static void done_list(const struct key *key, void *object)
{
	done_items(key, items_of(key, object), key_count(key, object));
	free(items_of(key, object));
	memset(key_target(key, object), 0, key->size);
}

const struct type type_list = {
	.size = sizeof(char *) + sizeof(size_t),
	.emit = emit_list_of,
	.equal = equal_list,
	.copy = copy_list,
	.done = done_list,
};
