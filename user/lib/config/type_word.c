// SPDX-License-Identifier: BSD-2-Clause
/* Values that are one word of a list, and bools. */
#include <stdio.h>
#include <string.h>

#include "lib/base/suggest.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

/* "write tcp or udp" */
static void list_words(const struct word *words, char *buffer, size_t size)
{
	size_t used = 0;

	for (; words->text && used < size; words++) {
		if (words->value == WORD_LATER)
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s",
					 used ? " or " : "write ", words->text);
	}
}

/* Those that this version has. */
static const char *word_text(const void *words, size_t i)
{
	const struct word *word = words;

	for (; word->text; word++)
		if (word->value != WORD_LATER && !i--)
			break;
	return word->text;
}

static int refuse_word(const struct reader *reader, const struct key *key, const struct node *node,
		       const char *want)
{
	const char *meant =
		node->kind == NODE_TEXT ? suggest_word(node->text, word_text, key->words) : NULL;
	char shown[NODE_SHOW_SIZE];

	if (!meant)
		return node_refuse(reader->diag, node, key->what, want);
	return node_error(reader->diag, node, "\"%s\" is not %s; %s; did you mean %s?",
			  node_show(node, shown), key->what, want, meant);
}

static int read_word(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	const struct word *word = key->words;
	char shown[NODE_SHOW_SIZE];
	char want[128] = "";

	while (word->text && (node->kind != NODE_TEXT || strcmp(word->text, node->text) != 0))
		word++;
	list_words(key->words, want, sizeof(want));
	if (!word->text)
		return refuse_word(reader, key, node, want);
	if (word->value == WORD_LATER)
		return node_error(reader->diag, node, "this version does not have \"%s\"; %s",
				  node_show(node, shown), want);
	key_set_number(key, object, (unsigned)word->value);
	return 0;
}

static void emit_word(struct writer *writer, const struct key *key, const void *object)
{
	emit_text(&writer->emit, word_of(key->words, (int)key_number(key, object)));
}

const struct type type_word = {
	.read = read_word,
	.emit = emit_word,
};

static int read_bool(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	bool is_true = node->kind == NODE_TEXT && strcmp(node->text, "true") == 0;

	if (!is_true && (node->kind != NODE_TEXT || strcmp(node->text, "false") != 0))
		return node_refuse(reader->diag, node, key->what, "write one of these");
	*(bool *)key_target(key, object) = is_true;
	return 0;
}

static void emit_bool(struct writer *writer, const struct key *key, const void *object)
{
	emit_text(&writer->emit, *(const bool *)key_value(key, object) ? "true" : "false");
}

const struct type type_bool = {
	.size = sizeof(bool),
	.read = read_bool,
	.emit = emit_bool,
};
