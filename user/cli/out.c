/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two renderers of rows: aligned tables, and JSON.
 */
#include "cli/out.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

#define COLUMNS_MAX 16
#define GAP         "  "

#define RED         "\033[31m"
#define GREEN       "\033[32m"
#define YELLOW      "\033[33m"
#define BOLD        "\033[1m"
#define PLAIN       "\033[0m"

struct out out_standard(bool json)
{
	const char *no_color = getenv("NO_COLOR");

	return (struct out){
		.file = stdout,
		.json = json,
		.colour = !json && isatty(STDOUT_FILENO) && !(no_color && *no_color),
	};
}

/* ---- text -------------------------------------------------------------- */

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* In characters, each taken for one column wide. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += !is_continuation(*text);
	return width;
}

/* Cuts text to width characters, the last three dots. */
static void text_cut(char *text, size_t width)
{
	size_t seen = 0;

	if (text_width(text) <= width)
		return;
	for (; seen < width - 3 || is_continuation(*text); text++)
		seen += !is_continuation(text[1]);
	strcpy(text, "...");
}

static void put_padded(const struct out *out, const char *text, size_t width, bool right)
{
	size_t used = text_width(text);
	int pad = used < width ? (int)(width - used) : 0;

	if (right)
		(void)fprintf(out->file, "%*s%s", pad, "", text);
	else
		(void)fprintf(out->file, "%s%*s", text, pad, "");
}

static void put_coloured(const struct out *out, const char *colour, const char *text)
{
	bool coloured = out->colour && *colour;

	(void)fprintf(out->file, "%s%s%s", coloured ? colour : "", text, coloured ? PLAIN : "");
}

static const char *state_colour(const char *state)
{
	static const struct {
		const char *state, *colour;
	} colours[] = {
		{ "up", GREEN },     { "ok", GREEN },        { "degraded", YELLOW },
		{ "drain", YELLOW }, { "disabled", YELLOW }, { "down", RED },
		{ "within", GREEN }, { "exempt", GREEN },    { "over", RED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (strcmp(state, colours[i].state) == 0)
			return colours[i].colour;
	return "";
}

/* ---- tables ------------------------------------------------------------ */

struct grid {
	size_t n_columns, n_rows;
	char **cells; /* n_rows x n_columns */
	size_t widths[COLUMNS_MAX];
};

static void free_grid(struct grid *grid)
{
	for (size_t i = 0; grid->cells && i < grid->n_rows * grid->n_columns; i++)
		free(grid->cells[i]);
	free(grid->cells);
}

static bool is_right(enum out_kind kind)
{
	return kind == OUT_COUNT || kind == OUT_BYTES || kind == OUT_SECONDS ||
	       kind == OUT_MILLISECONDS || kind == OUT_SPAN || kind == OUT_AMOUNT ||
	       kind == OUT_PERCENT || kind == OUT_RATIO;
}

static bool is_idle(const json_t *row, const struct out_section *section)
{
	return section->busy && json_integer_value(json_object_get(row, section->busy)) == 0;
}

static bool grid_add(struct grid *grid, const json_t *row, const struct out_column *columns)
{
	char **cells = &grid->cells[grid->n_rows++ * grid->n_columns];

	for (size_t i = 0; i < grid->n_columns; i++) {
		size_t width;

		cells[i] = out_cell(row, &columns[i]);
		if (!cells[i])
			return false;
		if (columns[i].width)
			text_cut(cells[i], columns[i].width);
		width = text_width(cells[i]);
		if (width > grid->widths[i])
			grid->widths[i] = width;
	}
	return true;
}

static bool grid_fill(struct grid *grid, const json_t *rows, const struct out_section *section)
{
	while (section->columns[grid->n_columns].title) {
		size_t i = grid->n_columns++;

		grid->widths[i] = text_width(section->columns[i].title);
	}
	grid->cells = calloc((json_array_size(rows) ?: 1) * grid->n_columns, sizeof(char *));
	if (!grid->cells)
		return false;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!is_idle(row, section) && !grid_add(grid, row, section->columns))
			return false;
	}
	return true;
}

/* The last column is not padded: no spaces at the end of a line. */
static void put_cell_of(const struct out *out, const struct grid *grid, size_t i, const char *text,
			const struct out_column *column)
{
	bool last = i == grid->n_columns - 1;
	size_t width = grid->widths[i];

	if (i)
		(void)fputs(GAP, out->file);
	if (is_right(column->kind) || !out->colour || column->kind != OUT_STATE)
		return put_padded(out, text, last && !is_right(column->kind) ? 0 : width,
				  is_right(column->kind));
	put_coloured(out, state_colour(text), text);
	if (!last)
		put_padded(out, "", width - text_width(text), false);
}

static void put_table(const struct out *out, const json_t *rows, const struct out_section *section)
{
	_cleanup_(free_grid) struct grid grid = {};

	if (!grid_fill(&grid, rows, section)) {
		(void)fputs("out of memory\n", out->file);
		return;
	}
	if (!grid.n_rows) {
		if (section->empty)
			(void)fprintf(out->file, "%s\n", section->empty);
		return;
	}
	for (size_t i = 0; i < grid.n_columns; i++) {
		struct out_column title = { .kind = is_right(section->columns[i].kind) ? OUT_COUNT
										       : OUT_TEXT };

		put_cell_of(out, &grid, i, section->columns[i].title, &title);
	}
	(void)fputc('\n', out->file);
	for (size_t k = 0; k < grid.n_rows; k++) {
		for (size_t i = 0; i < grid.n_columns; i++)
			put_cell_of(out, &grid, i, grid.cells[k * grid.n_columns + i],
				    &section->columns[i]);
		(void)fputc('\n', out->file);
	}
}

/* "title   value", a line for each column. */
static void put_fields(const struct out *out, const json_t *row, const struct out_column *columns)
{
	size_t width = 0;

	for (const struct out_column *column = columns; column->title; column++)
		if (text_width(column->title) > width)
			width = text_width(column->title);
	for (const struct out_column *column = columns; column->title; column++) {
		_cleanup_(cleanup_free) char *text = out_cell(row, column);

		if (!text || strcmp(text, "-") == 0)
			continue;
		put_padded(out, column->title, width, false);
		(void)fputs(GAP, out->file);
		put_coloured(out, column->kind == OUT_STATE ? state_colour(text) : "", text);
		(void)fputc('\n', out->file);
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
			put_coloured(out, BOLD, section->title);
			(void)fputc('\n', out->file);
		}
		if (section->fields)
			put_fields(out, rows, section->columns);
		else
			put_table(out, rows, section);
	}
}

/* Words of text, up to OUT_WIDTH wide; lines after the first are indented. A
 * word that is wider has a line of its own.
 */
static void put_wrapped(const struct out *out, const char *text, const char *indent)
{
	size_t used = text_width(indent);

	while (*text) {
		size_t length = strcspn(text, " ");
		_cleanup_(cleanup_free) char *word = strndup(text, length);
		size_t width = word ? text_width(word) : 0;

		if (used > text_width(indent) && used + 1 + width > OUT_WIDTH) {
			(void)fprintf(out->file, "\n%s", indent);
			used = text_width(indent);
		} else if (used > text_width(indent)) {
			(void)fputc(' ', out->file);
			used++;
		}
		(void)fputs(word ?: "", out->file);
		used += width;
		text += length + strspn(text + length, " ");
	}
	(void)fputc('\n', out->file);
}

void out_list(const struct out *out, const struct out_list *list, const json_t *strings)
{
	size_t n = json_array_size(strings);

	if (!n)
		return;
	put_coloured(out, list->urgent ? RED : YELLOW, list->title);
	(void)fputc('\n', out->file);
	for (size_t i = 0; i < n && i < list->most; i++) {
		const char *text = json_string_value(json_array_get(strings, i));
		_cleanup_(cleanup_free) char *clean = text ? out_clean(text) : NULL;

		(void)fputs("  - ", out->file);
		put_wrapped(out, clean ?: "?", "    ");
	}
	if (n > list->most)
		(void)fprintf(out->file, "  ... and %zu more (sluicectl --json status has all)\n",
			      n - list->most);
}
