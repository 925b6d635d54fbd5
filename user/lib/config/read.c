// SPDX-License-Identifier: BSD-2-Clause
/* Walks over the rows of a section, and reads what sections share. */
#include "lib/config/read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/diag.h"
#include "lib/base/suggest.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

int read_out_of_memory(const struct reader *reader)
{
	return diag_no_memory(reader->diag);
}

int read_set_text(struct reader *reader, const char *text, char **target)
{
	char *copy = strdup(text);

	if (!copy)
		return read_out_of_memory(reader);
	free(*target);
	*target = copy;
	return 0;
}

static const char *key_name(const void *section, size_t i)
{
	const struct section *of = section;

	return i < of->n_keys ? of->keys[i].name : NULL;
}

static int refuse_key(const struct section *section, const struct reader *reader,
		      const struct node *entry)
{
	const char *meant = suggest_word(entry->text, key_name, section);
	char known[256] = "";
	size_t used = 0;

	if (meant)
		return node_error(reader->diag, entry,
				  "is not a key of this version; did you mean %s?", meant);
	for (size_t i = 0; i < section->n_keys && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 section->keys[i].name);
	return node_error(reader->diag, entry, "is not a key of this version; %s has: %s",
			  section->what, known);
}

/* A map, and the values that it has for a section's keys, in their order. */
struct matched {
	const struct section *section;
	const struct node *map;
	const struct node *values[SECTION_KEYS_MAX]; /* NULL: none */
	bool mistyped;                               /* there are keys that are not known */
};

static int match_key(struct matched *matched, const struct reader *reader, const struct node *entry)
{
	const struct section *section = matched->section;
	size_t i = 0;

	while (i < section->n_keys && strcmp(section->keys[i].name, entry->text) != 0)
		i++;
	if (i == section->n_keys) {
		matched->mistyped = true;
		return refuse_key(section, reader, entry);
	}
	if (matched->values[i])
		return node_error(reader->diag, entry,
				  "stands there twice, first in line %u; keep one",
				  matched->values[i]->parent->line);
	matched->values[i] = entry->value;
	return 0;
}

static int match_keys(struct matched *matched, const struct reader *reader)
{
	const struct node *entry;
	int kept = 0, error;

	for (entry = matched->map->first; entry; entry = entry->next) {
		error = match_key(matched, reader, entry);
		if (error && !diag_keep(reader->diag, error))
			return error;
		kept = error ? -DIAG_KEPT : kept;
	}
	return kept;
}

static read_fn *read_of(const struct key *key)
{
	return key->read ? key->read : key->type->read;
}

/* A key that is missing may be the one that was mistyped. */
static int refuse_missing(const struct matched *matched, const struct reader *reader,
			  const struct key *key)
{
	return matched->mistyped ? -DIAG_KEPT
				 : node_error(reader->diag, matched->map, "%s needs the key %s",
					      matched->section->what, key->name);
}

/* The keys that are late, or the others. */
static int read_keys(const struct matched *matched, struct reader *reader, void *object, bool late)
{
	const struct section *section = matched->section;
	int kept = 0, error;

	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];
		const struct node *value = matched->values[i];

		error = 0;
		if (!value && key->required)
			error = late ? 0 : refuse_missing(matched, reader, key);
		else if (key->late == late && (value || late))
			error = read_of(key)(reader, key, value, object);
		if (error && !diag_keep(reader->diag, error))
			return error;
		kept = error ? -DIAG_KEPT : kept;
	}
	return kept;
}

int read_section(const struct section *section, struct reader *reader, const struct node *node,
		 void *object)
{
	struct matched matched = { .section = section, .map = node };
	int kept, error;

	if (node->kind != NODE_MAP)
		return node_refuse(reader->diag, node, section->what, "write a map of KEY: VALUE");
	kept = match_keys(&matched, reader);
	if (kept && kept != -DIAG_KEPT)
		return kept;
	error = read_keys(&matched, reader, object, false);
	if (!error && !kept && section->check)
		error = section->check(reader, node, object);
	if (error && !diag_keep(reader->diag, error))
		return error;
	kept = error ? -DIAG_KEPT : kept;
	error = read_keys(&matched, reader, object, true) ?: kept;
	if (error)
		return error;
	return section_derive(section, &reader->scope, object) ? read_out_of_memory(reader) : 0;
}

int read_section_or_short(const struct section *section, struct reader *reader,
			  const struct node *node, void *object)
{
	const struct key *first = &section->keys[0];

	if (section->has_short && node->kind == NODE_TEXT && !node_is_empty(node))
		return read_of(first)(reader, first, node, object);
	return read_section(section, reader, node, object);
}

const struct node *section_find_conditional(const struct section *section, const struct node *map)
{
	const struct node *value = NULL;

	for (size_t i = 0; i < section->n_keys && !value; i++) {
		if (section->keys[i].conditional)
			value = node_get(map, section->keys[i].name);
	}
	return value;
}

bool config_is_name(const char *text)
{
	size_t length = strlen(text);

	return length && length <= CONFIG_NAME_MAX && strchr(LETTERS DIGITS, text[0]) &&
	       strspn(text, LETTERS DIGITS "._-") == length;
}

int read_name(struct reader *reader, const struct key *key, const struct node *node, void *object)
{
	static const char want[] = "1 to 63 of A-Z, a-z, 0-9, dot, hyphen and underscore, the "
				   "first a letter or digit";

	if (node->kind != NODE_TEXT || !config_is_name(node->text))
		return node_refuse(reader->diag, node, "a name", want);
	return read_set_text(reader, node->text, key_target(key, object));
}
