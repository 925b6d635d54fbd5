/* SPDX-License-Identifier: BSD-2-Clause
 *
 * YAML out of libyaml's emitter, one value after the other. A failure is kept,
 * and told once at the end. For lib/config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_YAML_EMIT_H
#define SLUICE_LIB_CONFIG_YAML_EMIT_H

#include <stdbool.h>
#include <yaml.h>

struct emit {
	yaml_emitter_t emitter;
	bool failed;
};

/* How a list or map is laid out. */
enum layout {
	LAYOUT_BLOCK, /* a line for each item */
	LAYOUT_FLOW,  /* in braces, in one line */
};

/* Starts a document that goes to file, which stays the caller's. 0 or -ENOMEM;
 * after 0, emit_done() ends it.
 */
int emit_init(struct emit *emit, FILE *file);

/* Ends the document. 0, or -ENOMEM where any value failed. */
int emit_done(struct emit *emit);

void emit_map(struct emit *emit, enum layout layout);
void emit_map_end(struct emit *emit);
void emit_list(struct emit *emit, enum layout layout);
void emit_list_end(struct emit *emit);

/* A key or a value, quoted where it must be. */
void emit_text(struct emit *emit, const char *text);

/* The same by printf, of a text that is short. */
void emit_format(struct emit *emit, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
