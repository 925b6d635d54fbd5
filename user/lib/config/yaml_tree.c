// SPDX-License-Identifier: BSD-2-Clause
/* YAML text as a tree of nodes, from libyaml's events: those, unlike its
 * documents, still tell anchors and have a place for everything. Nodes lie in
 * chunks and are freed with the tree alone.
 */
#include "lib/config/yaml_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/yield.h"

#define CHUNK_SIZE (64 * 1024)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(struct node) char bytes[];
};

struct tree {
	struct chunk *chunks; /* the newest first */
	struct node *root;
};

/* A list or map that is not complete yet. */
struct open_node {
	struct node *node;
	struct node *last; /* its newest item or key */
};

struct builder {
	struct tree *tree;
	struct diag *diag;
	const char *text;
	size_t length;
	size_t taken; /* by libyaml */
	struct open_node open[NODE_DEPTH_MAX];
	size_t depth;
	unsigned n_nodes;
	unsigned n_documents;
	bool done;
};

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	while (tree->chunks) {
		struct chunk *chunk = tree->chunks;

		tree->chunks = chunk->next;
		free(chunk);
		yield_point();
	}
	free(tree);
}

const struct node *tree_root(const struct tree *tree)
{
	return tree->root;
}

/* Zeroed, or NULL. */
static void *tree_alloc(struct tree *tree, size_t size)
{
	struct chunk *chunk = tree->chunks;
	void *bytes;

	size = (size + _Alignof(struct node) - 1) & ~(_Alignof(struct node) - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		chunk->next = tree->chunks;
		tree->chunks = chunk;
	}
	bytes = chunk->bytes + chunk->used;
	chunk->used += size;
	return bytes;
}

__attribute__((format(printf, 3, 4))) static int
refuse_at(struct builder *builder, const yaml_mark_t *mark, const char *format, ...)
{
	char text[256];
	va_list args;

	if (!builder->diag)
		return -EINVAL;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	builder->diag->line = (unsigned)mark->line + 1;
	builder->diag->column = (unsigned)mark->column + 1;
	return diag_set(builder->diag, EINVAL, "%s", text);
}

/* Where a byte stands; columns are counted in bytes here, for text that is not
 * UTF-8 has no characters.
 */
static yaml_mark_t mark_of_byte(const struct builder *builder, size_t offset)
{
	yaml_mark_t mark = {};

	for (size_t i = 0; i < offset && i < builder->length; i++) {
		mark.column++;
		if (builder->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

/* Whether a tab stands there; libyaml counts in characters, not bytes. */
static bool is_tab(const struct builder *builder, const yaml_mark_t *mark)
{
	size_t characters = 0;

	for (size_t i = 0; i < builder->length; i++) {
		if (((unsigned char)builder->text[i] & 0xc0) == 0x80)
			continue;
		if (characters++ == mark->index)
			return builder->text[i] == '\t';
	}
	return false;
}

/* Puts libyaml's complaint into diag. */
static int refuse_yaml(struct builder *builder, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "unknown error";
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return diag_no_memory(builder->diag);
	if (parser->error == YAML_READER_ERROR) {
		mark = mark_of_byte(builder, parser->problem_offset);
		return refuse_at(builder, &mark, "not text in UTF-8: %s", problem);
	}
	if (is_tab(builder, &mark))
		return refuse_at(
			builder, &mark,
			"not YAML: a tab stands where only spaces may; indent with spaces");
	if (!parser->context)
		return refuse_at(builder, &mark, "not YAML: %s", problem);
	return refuse_at(builder, &mark, "not YAML: %s (%s that began in line %zu)", problem,
			 parser->context, parser->context_mark.line + 1);
}

/* Hangs a node where the document has come to. */
static int attach_node(struct builder *builder, struct node *node, const yaml_mark_t *mark)
{
	struct open_node *open;

	if (!builder->depth) {
		builder->tree->root = node;
		return 0;
	}
	open = &builder->open[builder->depth - 1];
	if (open->node->kind == NODE_MAP && open->last && !open->last->value) {
		open->last->value = node;
		node->parent = open->last;
		return 0;
	}
	if (open->node->kind == NODE_MAP && node->kind != NODE_TEXT)
		return refuse_at(builder, mark, "a list or map cannot be a key; write KEY: VALUE");
	node->parent = open->node;
	if (open->last)
		open->last->next = node;
	else
		open->node->first = node;
	open->last = node;
	return 0;
}

/* Makes a node of what an event starts. */
static int add_node(struct builder *builder, enum node_kind kind, const yaml_event_t *event)
{
	const char *text = "";
	struct node *node;
	size_t length = 0;
	int error;

	if (kind == NODE_TEXT) {
		text = (const char *)event->data.scalar.value;
		length = event->data.scalar.length;
	}
	if (memchr(text, 0, length))
		return refuse_at(builder, &event->start_mark, "a text holds a NUL character");
	if (++builder->n_nodes > TREE_NODES_MAX)
		return refuse_at(builder, &event->start_mark, "more than %u values in one file",
				 TREE_NODES_MAX);
	node = tree_alloc(builder->tree, sizeof(*node) + length + 1);
	if (!node)
		return diag_no_memory(builder->diag);
	node->kind = kind;
	node->line = (unsigned)event->start_mark.line + 1;
	node->column = (unsigned)event->start_mark.column + 1;
	node->length = length;
	memcpy(node->text, text, length);
	error = attach_node(builder, node, &event->start_mark);
	if (error || kind == NODE_TEXT)
		return error;
	if (builder->depth == NODE_DEPTH_MAX)
		return refuse_at(builder, &event->start_mark,
				 "lists and maps are nested deeper than %d", NODE_DEPTH_MAX);
	builder->open[builder->depth++] = (struct open_node){ .node = node };
	return 0;
}

/* add_node() for a value without an anchor or a tag. */
static int add_plain_node(struct builder *builder, enum node_kind kind, const yaml_event_t *event,
			  bool anchor, bool tag)
{
	if (anchor)
		return refuse_at(builder, &event->start_mark,
				 "anchors (&name) are not taken; write the value out each time");
	if (tag)
		return refuse_at(builder, &event->start_mark,
				 "tags (!name) are not taken; write the value alone");
	return add_node(builder, kind, event);
}

static int take_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_plain_node(builder, NODE_TEXT, event, event->data.scalar.anchor,
				      event->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return add_plain_node(builder, NODE_LIST, event, event->data.sequence_start.anchor,
				      event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return add_plain_node(builder, NODE_MAP, event, event->data.mapping_start.anchor,
				      event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		builder->depth--;
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse_at(builder, &event->start_mark,
				 "aliases (*name) are not taken; write the value out each time");
	case YAML_DOCUMENT_START_EVENT:
		if (++builder->n_documents > 1)
			return refuse_at(builder, &event->start_mark,
					 "a second document starts here; a file holds one");
		return 0;
	case YAML_STREAM_END_EVENT:
		builder->done = true;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

/* libyaml's reader: in small pieces, because a comment of any length is no event. */
static int read_piece(void *arg, unsigned char *buffer, size_t size, size_t *ret_length)
{
	struct builder *builder = arg;
	size_t left = builder->length - builder->taken;

	yield_point();
	*ret_length = left < size ? left : size;
	memcpy(buffer, builder->text + builder->taken, *ret_length);
	builder->taken += *ret_length;
	return 1;
}

static int build(struct builder *builder)
{
	_cleanup_(yaml_parser_delete) yaml_parser_t parser = {};

	if (!yaml_parser_initialize(&parser))
		return diag_no_memory(builder->diag);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input(&parser, read_piece, builder);
	while (!builder->done) {
		_cleanup_(yaml_event_delete) yaml_event_t event = {};
		int error;

		yield_point();
		if (!yaml_parser_parse(&parser, &event))
			return refuse_yaml(builder, &parser);
		error = take_event(builder, &event);
		if (error)
			return error;
	}
	return 0;
}

/* A byte order mark of UTF-8, which some editors write at the start of a file. */
static const char mark[] = { '\xef', '\xbb', '\xbf' };

int tree_new(const char *text, size_t length, struct diag *diag, struct tree **ret_tree)
{
	bool has_mark = length >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0;
	size_t start = has_mark ? sizeof(mark) : 0;
	_cleanup_(tree_freep) struct tree *tree = calloc(1, sizeof(*tree));
	struct builder builder = {
		.tree = tree,
		.diag = diag,
		.text = length ? text + start : "",
		.length = length - start,
	};
	int error;

	if (!tree)
		return diag_no_memory(diag);
	error = build(&builder);
	if (error)
		return error;
	if (tree->root && node_is_empty(tree->root))
		tree->root = NULL; /* "---" and nothing else */
	*ret_tree = TAKE_PTR(tree);
	return 0;
}
