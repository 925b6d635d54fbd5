// SPDX-License-Identifier: BSD-2-Clause
/* Walks over the rows of a section: a key is written where its value is not what the
 * reader would have without it.
 */
#include "lib/config/writer.h"

#include <stdlib.h>

#include "lib/base/cleanup.h"

#define FIRST_RANK (-1)
#define LAST_RANK  1

/* Marks the keys that are to be written, beside an object that has the defaults.
 * Returns how many they are.
 */
static size_t mark_keys(const struct section *section, const void *object, const void *defaults,
			bool ret_marks[static SECTION_KEYS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];

		ret_marks[i] = key->type && (key->required || !key_equal(key, object, defaults));
		n += ret_marks[i];
	}
	return n;
}

static enum layout layout_of(const struct section *section, const void *object)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];

		if (key->type && key->type->is_long && key->type->is_long(key, object))
			return LAYOUT_BLOCK;
	}
	return section->has_lines ? LAYOUT_BLOCK : LAYOUT_FLOW;
}

static void write_keys(struct writer *writer, const struct section *section, const void *object,
		       const bool marks[static SECTION_KEYS_MAX])
{
	emit_map(&writer->emit, layout_of(section, object));
	for (int rank = FIRST_RANK; rank <= LAST_RANK; rank++) {
		for (size_t i = 0; i < section->n_keys; i++) {
			const struct key *key = &section->keys[i];

			if (!marks[i] || key->rank != rank)
				continue;
			emit_text(&writer->emit, key->name);
			key->type->emit(writer, key, object);
		}
	}
	emit_map_end(&writer->emit);
}

void write_section(struct writer *writer, const struct section *section, const void *object)
{
	_cleanup_(cleanup_free) void *defaults = malloc(section->size);
	bool marks[SECTION_KEYS_MAX];
	size_t n;

	if (section->is_service)
		writer->scope.service = object;
	if (!defaults || section_init(section, &writer->scope, object, defaults) != 0)
		writer->emit.failed = true;
	if (!defaults)
		return;
	n = mark_keys(section, object, defaults, marks);
	if (section->has_short && n == 1 && marks[0])
		section->keys[0].type->emit(writer, &section->keys[0], object);
	else
		write_keys(writer, section, object, marks);
	section_done(section, defaults);
}
