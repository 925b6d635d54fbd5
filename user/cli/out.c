/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The renderers of answers: tables and fields for people, and JSON.
 */
#include "cli/out.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

#define GAP           "  "
#define COLUMNS_USUAL 80 /* of a terminal that does not say */

size_t out_terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS_USUAL;
}

struct out out_standard(bool json)
{
	const char *no_color = getenv("NO_COLOR");

	return (struct out){
		.file = stdout,
		.json = json,
		.colour = !json && isatty(STDOUT_FILENO) && !(no_color && *no_color),
		.width = json ? 0 : out_terminal_width(STDOUT_FILENO),
	};
}

/* ---- fields ------------------------------------------------------------ */

/* A long value of several words goes on below, where there is a width to keep to. */
static void put_field_value(const struct out *out, const struct out_column *column,
			    const char *text, size_t indent)
{
	if (out->width && column->kind != OUT_STATE)
		return out_wrap(out->file, text, indent, out->width);
	out_text_colour(out, column->kind == OUT_STATE ? out_state_colour(text) : "", text);
	(void)fputc('\n', out->file);
}

/* "title   value", a line for each column. */
static void put_fields(const struct out *out, const json_t *row, const struct out_column *columns)
{
	size_t width = 0;

	for (const struct out_column *column = columns; column->title; column++)
		if (out_text_width(column->title) > width)
			width = out_text_width(column->title);
	for (const struct out_column *column = columns; column->title; column++) {
		_cleanup_(cleanup_free) char *text = out_cell(row, column);

		if (!text || strcmp(text, "-") == 0)
			continue;
		out_text_pad(out, column->title, width, false);
		(void)fputs(GAP, out->file);
		put_field_value(out, column, text, width + sizeof(GAP) - 1);
	}
}

/* ---- answers ----------------------------------------------------------- */

/* ASCII alone: characters that a terminal would act on are escaped. */
static void put_json(const struct out *out, const json_t *answer)
{
	(void)json_dumpf(answer, out->file,
			 JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	(void)fputc('\n', out->file);
}

void out_answer(const struct out *out, const json_t *answer, const struct out_section *sections)
{
	if (out->json)
		return put_json(out, answer);
	for (const struct out_section *section = sections; section->columns; section++) {
		const json_t *rows =
			section->member ? json_object_get(answer, section->member) : answer;

		if (section != sections)
			(void)fputc('\n', out->file);
		if (section->title) {
			out_text_colour(out, OUT_BOLD, section->title);
			(void)fputc('\n', out->file);
		}
		if (section->fields)
			put_fields(out, rows, section->columns);
		else
			out_table(out, rows, section);
	}
}

void out_list(const struct out *out, const struct out_list *list, const json_t *strings)
{
	size_t n = json_array_size(strings);

	if (!n)
		return;
	out_text_colour(out, list->urgent ? OUT_RED : OUT_YELLOW, list->title);
	(void)fputc('\n', out->file);
	for (size_t i = 0; i < n && i < list->most; i++) {
		const char *text = json_string_value(json_array_get(strings, i));
		_cleanup_(cleanup_free) char *clean = text ? out_clean(text) : NULL;

		(void)fputs("  - ", out->file);
		out_wrap(out->file, clean ?: "?", 4, out->width ?: OUT_WIDTH);
	}
	if (n > list->most)
		(void)fprintf(out->file, "  ... and %zu more (sluicectl --json status has all)\n",
			      n - list->most);
}
