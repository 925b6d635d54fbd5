// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/yaml_emit.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_SIZE 128 /* of emit_format() */

/* The emitter owns the event from here on, also if it fails. */
static void send_event(struct emit *emit, yaml_event_t *event, int made)
{
	if (!made) {
		emit->failed = true;
		return;
	}
	if (emit->failed) {
		yaml_event_delete(event);
		return;
	}
	if (!yaml_emitter_emit(&emit->emitter, event))
		emit->failed = true;
}

int emit_init(struct emit *emit, FILE *file)
{
	yaml_event_t event;

	*emit = (struct emit){};
	if (!yaml_emitter_initialize(&emit->emitter))
		return -ENOMEM;
	yaml_emitter_set_output_file(&emit->emitter, file);
	yaml_emitter_set_encoding(&emit->emitter, YAML_UTF8_ENCODING);
	yaml_emitter_set_width(&emit->emitter, -1); /* a long value is not folded */
	send_event(emit, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	send_event(emit, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	return 0;
}

int emit_done(struct emit *emit)
{
	yaml_event_t event;

	send_event(emit, &event, yaml_document_end_event_initialize(&event, 1));
	send_event(emit, &event, yaml_stream_end_event_initialize(&event));
	if (!emit->failed && !yaml_emitter_flush(&emit->emitter))
		emit->failed = true;
	yaml_emitter_delete(&emit->emitter);
	return emit->failed ? -ENOMEM : 0;
}

void emit_map(struct emit *emit, enum layout layout)
{
	yaml_event_t event;

	send_event(emit, &event,
		   yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						       layout == LAYOUT_FLOW
							       ? YAML_FLOW_MAPPING_STYLE
							       : YAML_BLOCK_MAPPING_STYLE));
}

void emit_map_end(struct emit *emit)
{
	yaml_event_t event;

	send_event(emit, &event, yaml_mapping_end_event_initialize(&event));
}

void emit_list(struct emit *emit, enum layout layout)
{
	yaml_event_t event;

	send_event(emit, &event,
		   yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
							layout == LAYOUT_FLOW
								? YAML_FLOW_SEQUENCE_STYLE
								: YAML_BLOCK_SEQUENCE_STYLE));
}

void emit_list_end(struct emit *emit)
{
	yaml_event_t event;

	send_event(emit, &event, yaml_sequence_end_event_initialize(&event));
}

void emit_text(struct emit *emit, const char *text)
{
	yaml_event_t event;

	send_event(emit, &event,
		   yaml_scalar_event_initialize(
			   &event, NULL, NULL, (const yaml_char_t *)text, -1, 1, 1,
			   strpbrk(text, "\r\n") ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
						 : YAML_ANY_SCALAR_STYLE));
}

void emit_format(struct emit *emit, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(text))
		emit->failed = true; /* rather than half a value */
	emit_text(emit, text);
}
