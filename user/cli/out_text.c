/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text on a terminal.
 */
#include "cli/out_text.h"

#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

#define PLAIN "\033[0m"

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t out_text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += !is_continuation(*text);
	return width;
}

void out_text_cut(char *text, size_t width)
{
	size_t seen = 0;

	if (out_text_width(text) <= width)
		return;
	for (; seen < width - 3 || is_continuation(*text); text++)
		seen += !is_continuation(text[1]);
	strcpy(text, "...");
}

/* The n-th character of text, from 0. */
static char *character(char *text, size_t n)
{
	while (*text && (n || is_continuation(*text)))
		n -= !is_continuation(*++text);
	return text;
}

void out_text_cut_middle(char *text, size_t width)
{
	size_t before = (width - 3) / 2, after = width - 3 - before;
	size_t whole = out_text_width(text);
	char *tail = character(text, whole - after);

	if (whole <= width)
		return;
	text = character(text, before);
	memmove(text + 3, tail, strlen(tail) + 1);
	memcpy(text, "...", 3);
}

void out_text_pad(const struct out *out, const char *text, size_t width, bool right)
{
	size_t used = out_text_width(text);
	int pad = used < width ? (int)(width - used) : 0;

	if (right)
		(void)fprintf(out->file, "%*s%s", pad, "", text);
	else
		(void)fprintf(out->file, "%s%*s", text, pad, "");
}

void out_text_colour(const struct out *out, const char *colour, const char *text)
{
	bool coloured = out->colour && *colour;

	(void)fprintf(out->file, "%s%s%s", coloured ? colour : "", text, coloured ? PLAIN : "");
}

const char *out_state_colour(const char *state)
{
	static const struct {
		const char *state, *colour;
	} colours[] = {
		{ "up", OUT_GREEN },     { "ok", OUT_GREEN },        { "degraded", OUT_YELLOW },
		{ "drain", OUT_YELLOW }, { "disabled", OUT_YELLOW }, { "down", OUT_RED },
		{ "within", OUT_GREEN }, { "exempt", OUT_GREEN },    { "over", OUT_RED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (strcmp(state, colours[i].state) == 0)
			return colours[i].colour;
	return "";
}

void out_wrap(FILE *file, const char *text, size_t indent, size_t width)
{
	size_t used = indent;

	while (*text) {
		size_t length = strcspn(text, " ");
		_cleanup_(cleanup_free) char *word = strndup(text, length);
		size_t word_width = word ? out_text_width(word) : 0;

		if (used > indent && used + 1 + word_width > width) {
			(void)fprintf(file, "\n%*s", (int)indent, "");
			used = indent;
		} else if (used > indent) {
			(void)fputc(' ', file);
			used++;
		}
		(void)fputs(word ?: "", file);
		used += word_width;
		text += length + strspn(text + length, " ");
	}
	(void)fputc('\n', file);
}
