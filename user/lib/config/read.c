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

/* The known key that is meant, probably; or NULL. */
static const char *suggest_key(const struct section *section, const struct node *entry)
{
	unsigned best = entry->length > 4 ? 3 : 2; /* one more than is believed */
	const char *name = NULL;

	for (size_t i = 0; i < section->n_keys; i++) {
		unsigned distance = suggest_distance(entry->text, section->keys[i].name);

		if (distance < best) {
			best = distance;
			name = section->keys[i].name;
		}
	}
	return name;
}

static int refuse_key(const struct section *section, const struct reader *reader,
		      const struct node *entry)
{
	const char *meant = suggest_key(section, entry);
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
};

static int match_keys(struct matched *matched, const struct reader *reader)
{
	const struct section *section = matched->section;
	const struct node *entry;
	size_t i;

	for (entry = matched->map->first; entry; entry = entry->next) {
		for (i = 0; i < section->n_keys; i++) {
			if (strcmp(section->keys[i].name, entry->text) == 0)
				break;
		}
		if (i == section->n_keys)
			return refuse_key(section, reader, entry);
		if (matched->values[i])
			return node_error(reader->diag, entry,
					  "stands there twice, first in line %u; keep one",
					  matched->values[i]->parent->line);
		matched->values[i] = entry->value;
	}
	return 0;
}

static read_fn *read_of(const struct key *key)
{
	return key->read ? key->read : key->type->read;
}

/* The keys that are late, or the others. */
static int read_keys(const struct matched *matched, struct reader *reader, void *object, bool late)
{
	const struct section *section = matched->section;
	int error = 0;

	for (size_t i = 0; i < section->n_keys && !error; i++) {
		const struct key *key = &section->keys[i];
		const struct node *value = matched->values[i];

		if (!value && key->required)
			return node_error(reader->diag, matched->map, "%s needs the key %s",
					  section->what, key->name);
		if (key->late == late && (value || late))
			error = read_of(key)(reader, key, value, object);
	}
	return error;
}

int read_section(const struct section *section, struct reader *reader, const struct node *node,
		 void *object)
{
	struct matched matched = { .section = section, .map = node };
	int error;

	if (node->kind != NODE_MAP)
		return node_refuse(reader->diag, node, section->what, "write a map of KEY: VALUE");
	error = match_keys(&matched, reader);
	if (!error)
		error = read_keys(&matched, reader, object, false);
	if (!error && section->check)
		error = section->check(reader, node, object);
	if (!error)
		error = read_keys(&matched, reader, object, true);
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
