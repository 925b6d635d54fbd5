// SPDX-License-Identifier: BSD-2-Clause
/* Texts: owned, or NULL for none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/types.h"
#include "lib/config/writer.h"

static const char *text_of(const struct key *key, const void *object)
{
	return *(char *const *)key_value(key, object);
}

/* text may be NULL; 0 or -ENOMEM. */
static int set_text(const struct key *key, void *to, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	*(char **)key_target(key, to) = copy;
	return text && !copy ? -ENOMEM : 0;
}

static int init_text(const struct key *key, const struct scope *scope, const void *object, void *to)
{
	(void)scope;
	(void)object;
	return set_text(key, to, key->default_text);
}

static void emit_text_of(struct writer *writer, const struct key *key, const void *object)
{
	emit_text(&writer->emit, text_of(key, object));
}

static bool equal_text(const struct key *key, const void *left, const void *right)
{
	const char *a = text_of(key, left), *b = text_of(key, right);

	return a && b ? !strcmp(a, b) : a == b;
}

static int copy_text(const struct key *key, const void *from, void *to)
{
	return set_text(key, to, text_of(key, from));
}

static void done_text(const struct key *key, void *object)
{
	char **text = key_target(key, object);

	free(*text);
	*text = NULL;
}

const struct type type_text = {
	.size = sizeof(char *),
	.init = init_text,
	.emit = emit_text_of,
	.equal = equal_text,
	.copy = copy_text,
	.done = done_text,
};
