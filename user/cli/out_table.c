/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Aligned tables. Where the terminal is too narrow for one, addresses and names are
 * shortened, and the words of a last column of text go on below; where that is not enough,
 * the columns are put below each other, as tables that begin with the same columns.
 */
#include "cli/out_table.h"

#include <string.h>

#include "cli/out_text.h"
#include "lib/base/cleanup.h"

#define KEYS_MAX      2
#define COLUMNS_MAX   16
#define GAP           "  "
#define GAP_WIDTH     (sizeof(GAP) - 1)
#define NAME_LEAST    12 /* of a name or another text that is shortened */
#define ADDRESS_LEAST 21 /* any IPv4 address with its port */
#define PROSE_LEAST   24 /* of the last column, whose words go on below */

struct grid {
	size_t n_columns, n_rows;
	char **cells; /* n_rows x n_columns */
	const struct out_column *columns;
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

static bool grid_add(struct grid *grid, const json_t *row)
{
	const struct out_column *columns = grid->columns;
	char **cells = &grid->cells[grid->n_rows++ * grid->n_columns];

	for (size_t i = 0; i < grid->n_columns; i++) {
		size_t width;

		cells[i] = out_cell(row, &columns[i]);
		if (!cells[i])
			return false;
		if (columns[i].width)
			out_text_cut(cells[i], columns[i].width);
		width = out_text_width(cells[i]);
		if (width > grid->widths[i])
			grid->widths[i] = width;
	}
	return true;
}

static bool grid_fill(struct grid *grid, const json_t *rows, const struct out_section *section)
{
	grid->columns = section->columns;
	while (section->columns[grid->n_columns].title) {
		size_t i = grid->n_columns++;

		grid->widths[i] = out_text_width(section->columns[i].title);
	}
	grid->cells = calloc((json_array_size(rows) ?: 1) * grid->n_columns, sizeof(char *));
	if (!grid->cells)
		return false;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!is_idle(row, section) && !grid_add(grid, row))
			return false;
	}
	return true;
}

/* ---- how wide --------------------------------------------------------------- */

/* Columns from first to last, and the gaps between them. */
static size_t total_width(const struct grid *grid, size_t first, size_t last)
{
	size_t width = 0;

	for (size_t i = first; i <= last; i++)
		width += grid->widths[i] + (i > first ? GAP_WIDTH : 0);
	return width;
}

static bool is_prose(const struct grid *grid, size_t i)
{
	return i > 0 && i == grid->n_columns - 1 && grid->columns[i].kind == OUT_TEXT;
}

/* The least width that a column can be given; its own, where it cannot be shortened. */
static size_t least_width(const struct grid *grid, size_t i)
{
	enum out_kind kind = grid->columns[i].kind;
	size_t least = is_prose(grid, i)      ? PROSE_LEAST
		       : kind == OUT_TEXT     ? NAME_LEAST
		       : kind == OUT_ENDPOINT ? ADDRESS_LEAST
					      : grid->widths[i];
	size_t title = out_text_width(grid->columns[i].title);

	return title > least ? title : least;
}

/* Makes a column narrower: one of prose, else the widest that can be so. */
static bool narrow_one(struct grid *grid)
{
	size_t widest = grid->n_columns, last = grid->n_columns - 1;

	if (is_prose(grid, last) && grid->widths[last] > least_width(grid, last))
		widest = last;
	for (size_t i = 0; i < grid->n_columns && widest != last; i++)
		if (grid->widths[i] > least_width(grid, i) &&
		    (widest == grid->n_columns || grid->widths[i] > grid->widths[widest]))
			widest = i;
	if (widest < grid->n_columns)
		grid->widths[widest]--;
	return widest < grid->n_columns;
}

/* Whether a column may tell the rows apart: names, addresses, and the number of a limit. */
static bool is_key(const struct out_column *column)
{
	return column->kind == OUT_TEXT || column->kind == OUT_ENDPOINT ||
	       strcmp(column->title, "#") == 0;
}

/* Columns that tell the rows apart, the first ones. */
static size_t count_keys(const struct grid *grid)
{
	size_t n = 0;

	while (n < KEYS_MAX && n < grid->n_columns - 1 && is_key(&grid->columns[n]))
		n++;
	return n;
}

static void cut_cells(const struct grid *grid)
{
	for (size_t i = 0; i < grid->n_rows * grid->n_columns; i++) {
		const struct out_column *column = &grid->columns[i % grid->n_columns];
		size_t width = grid->widths[i % grid->n_columns];

		if (column->kind == OUT_ENDPOINT)
			out_text_cut_middle(grid->cells[i], width);
		else if (column->kind == OUT_TEXT && !is_prose(grid, i % grid->n_columns))
			out_text_cut(grid->cells[i], width);
	}
}

/* Whether it fits, with columns made narrower where that helps. */
static bool grid_fit(struct grid *grid, size_t width)
{
	size_t natural[COLUMNS_MAX];

	memcpy(natural, grid->widths, sizeof(natural));
	while (total_width(grid, 0, grid->n_columns - 1) > width)
		if (!narrow_one(grid))
			break;
	if (total_width(grid, 0, grid->n_columns - 1) <= width)
		return true;
	for (size_t i = 0; i < grid->n_columns; i++) /* there is room for these, beside the keys */
		if (natural[i] < width / 3)
			grid->widths[i] = natural[i];
	return false;
}

/* ---- printing ---------------------------------------------------------------- */

/* Which columns stand beside each other: the keys, and some of the others. */
struct part {
	const struct grid *grid;
	size_t n_keys, first, last;
};

/* The next column of the part behind i. */
static size_t next_column(const struct part *part, size_t i)
{
	return i + 1 == part->n_keys ? part->first : i + 1;
}

/* The column that a last column of prose begins in. */
static size_t prose_indent(const struct part *part)
{
	size_t indent = 0;

	for (size_t i = part->n_keys ? 0 : part->first; i < part->last; i = next_column(part, i))
		indent += part->grid->widths[i] + GAP_WIDTH;
	return indent;
}

/* Ends the line behind the last column, which is not padded: no spaces at its end. */
static void put_cell_of(const struct out *out, const struct part *part, size_t i, const char *text)
{
	const struct grid *grid = part->grid;
	const struct out_column *column = &grid->columns[i];
	bool title = text == column->title, last = i == part->last;
	bool right = is_right(column->kind);
	size_t pad = grid->widths[i] - out_text_width(text);

	if (last && out->width && !title && is_prose(grid, i))
		return out_wrap(out->file, text, prose_indent(part), out->width);
	if (right)
		(void)fprintf(out->file, "%*s", (int)pad, "");
	out_text_colour(out, column->kind == OUT_STATE && !title ? out_state_colour(text) : "",
			text);
	if (!right && !last)
		(void)fprintf(out->file, "%*s", (int)pad, "");
	(void)fputs(last ? "\n" : GAP, out->file);
}

/* row: its cells; NULL: the titles. */
static void put_row(const struct out *out, const struct part *part, char *const *row)
{
	for (size_t i = part->n_keys ? 0 : part->first; i <= part->last; i = next_column(part, i))
		put_cell_of(out, part, i, row ? row[i] : part->grid->columns[i].title);
}

static void put_part(const struct out *out, const struct part *part)
{
	const struct grid *grid = part->grid;

	put_row(out, part, NULL);
	for (size_t k = 0; k < grid->n_rows; k++)
		put_row(out, part, &grid->cells[k * grid->n_columns]);
}

/* As many columns in each part as there is room for, one at least. */
static void put_parts(const struct out *out, const struct grid *grid)
{
	struct part part = { .grid = grid, .n_keys = count_keys(grid) };
	size_t keys = part.n_keys ? total_width(grid, 0, part.n_keys - 1) + GAP_WIDTH : 0;

	for (part.first = part.n_keys; part.first < grid->n_columns; part.first = part.last + 1) {
		part.last = part.first;
		while (part.last + 1 < grid->n_columns &&
		       keys + total_width(grid, part.first, part.last + 1) <= out->width)
			part.last++;
		put_part(out, &part);
	}
}

void out_table(const struct out *out, const json_t *rows, const struct out_section *section)
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
	if (!out->width || grid_fit(&grid, out->width)) {
		const struct part whole = { .grid = &grid, .last = grid.n_columns - 1 };

		cut_cells(&grid);
		put_part(out, &whole);
	} else {
		cut_cells(&grid);
		put_parts(out, &grid);
	}
}
