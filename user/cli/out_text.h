/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text on a terminal: how wide it is, padded, cut and coloured. A character counts as one
 * column.
 */
#ifndef SLUICE_CLI_OUT_TEXT_H
#define SLUICE_CLI_OUT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define OUT_WIDTH      100 /* of sentences where there is no terminal */
#define OUT_HELP_WIDTH 80

#define OUT_RED        "\033[31m"
#define OUT_GREEN      "\033[32m"
#define OUT_YELLOW     "\033[33m"
#define OUT_BOLD       "\033[1m"

struct out {
	FILE *file;
	bool json, colour;
	size_t width; /* that tables keep to; 0: they may be as wide as they are */
};

size_t out_text_width(const char *text);

/* Cuts text to width characters (4 or more): three dots take the place of its end. */
void out_text_cut(char *text, size_t width);

/* The same, and the dots take the place of its middle. */
void out_text_cut_middle(char *text, size_t width);

void out_text_pad(const struct out *out, const char *text, size_t width, bool right);

/* colour "": none. */
void out_text_colour(const struct out *out, const char *colour, const char *text);

/* Words of a text that begins in column indent (from 0), up to width wide; the lines after the
 * first are indented. A word that is wider has a line of its own.
 */
void out_wrap(FILE *file, const char *text, size_t indent, size_t width);

/* The colour of the word for a state; "": it has none. */
const char *out_state_colour(const char *state);

#endif
