/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl's tables: units, alignment, wrapping, and that nothing from the
 * daemon acts on a terminal. Rows are JSON, the expected text stands beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/out.c"
#include "cli/out_cell.c"
#include "cli/out_table.c"
#include "cli/out_text.c"
#include "lib/base/array.h"

/* ---- cells ------------------------------------------------------------- */

static const struct {
	const char *row;
	struct out_column column;
	const char *text;
} cells[] = {
	{ "{\"v\": 0}", { "", OUT_BYTES, "v", NULL, 0 }, "0 B" },
	{ "{\"v\": 999}", { "", OUT_BYTES, "v", NULL, 0 }, "999 B" },
	{ "{\"v\": 1000}", { "", OUT_BYTES, "v", NULL, 0 }, "1.0 kB" },
	{ "{\"v\": 12345678}", { "", OUT_BYTES, "v", NULL, 0 }, "12.3 MB" },
	{ "{\"v\": 999949}", { "", OUT_BYTES, "v", NULL, 0 }, "999.9 kB" },
	{ "{\"v\": 999950}", { "", OUT_BYTES, "v", NULL, 0 }, "1.0 MB" },
	{ "{\"v\": 9223372036854775807}", { "", OUT_BYTES, "v", NULL, 0 }, "9.2 EB" },
	{ "{\"v\": 0}", { "", OUT_SECONDS, "v", NULL, 0 }, "0s" },
	{ "{\"v\": 59}", { "", OUT_SECONDS, "v", NULL, 0 }, "59s" },
	{ "{\"v\": 60}", { "", OUT_SECONDS, "v", NULL, 0 }, "1m 0s" },
	{ "{\"v\": 192}", { "", OUT_SECONDS, "v", NULL, 0 }, "3m 12s" },
	{ "{\"v\": 7325}", { "", OUT_SECONDS, "v", NULL, 0 }, "2h 2m" },
	{ "{\"v\": 273600}", { "", OUT_SECONDS, "v", NULL, 0 }, "3d 4h" },
	{ "{\"v\": 0.432}", { "", OUT_MILLISECONDS, "v", NULL, 0 }, "0.43 ms" },
	{ "{\"v\": 12.34}", { "", OUT_MILLISECONDS, "v", NULL, 0 }, "12.3 ms" },
	{ "{\"v\": 500}", { "", OUT_MILLISECONDS, "v", NULL, 0 }, "500 ms" },
	{ "{\"v\": 2000}", { "", OUT_MILLISECONDS, "v", NULL, 0 }, "2 s" },
	{ "{\"v\": 1500}", { "", OUT_MILLISECONDS, "v", NULL, 0 }, "1.5 s" },
	{ "{\"v\": 0}", { "", OUT_SPAN, "v", NULL, 0 }, "0 ms" },
	{ "{\"v\": 0.42}", { "", OUT_SPAN, "v", NULL, 0 }, "0.42 ms" },
	{ "{\"v\": 999}", { "", OUT_SPAN, "v", NULL, 0 }, "999 ms" },
	{ "{\"v\": 1234}", { "", OUT_SPAN, "v", NULL, 0 }, "1.2 s" },
	{ "{\"v\": 59949.9}", { "", OUT_SPAN, "v", NULL, 0 }, "59.9 s" },
	{ "{\"v\": 59950}", { "", OUT_SPAN, "v", NULL, 0 }, "1m 0s" },
	{ "{\"v\": 3600000}", { "", OUT_SPAN, "v", NULL, 0 }, "1h 0m" },
	{ "{\"v\": 1e300}", { "", OUT_SPAN, "v", NULL, 0 }, "11574074d 1h" },
	{ "{\"v\": null}", { "", OUT_SPAN, "v", NULL, 0 }, "-" },
	{ "{\"v\": 2000, \"u\": \"packets\"}", { "", OUT_AMOUNT, "v", "u", 0 }, "2000" },
	{ "{\"v\": 2000, \"u\": \"bytes\"}", { "", OUT_AMOUNT, "v", "u", 0 }, "2.0 kB" },
	{ "{\"v\": null, \"u\": \"bytes\"}", { "", OUT_AMOUNT, "v", "u", 0 }, "-" },
	{ "{\"v\": 7, \"u\": 8}", { "", OUT_AMOUNT, "v", "u", 0 }, "7" },
	{ "{\"a\": \"drop\", \"dry_run\": true}",
	  { "", OUT_MARKED, "a", "dry_run", 0 },
	  "drop (dry run)" },
	{ "{\"a\": \"drop\", \"dry_run\": false}", { "", OUT_MARKED, "a", "dry_run", 0 }, "drop" },
	{ "{\"a\": \"drop\", \"dry_run\": \"yes\"}",
	  { "", OUT_MARKED, "a", "dry_run", 0 },
	  "drop" },
	{ "{\"a\": 2, \"b\": 3}", { "", OUT_RATIO, "a", "b", 0 }, "2/3" },
	{ "{\"a\": \"10.0.0.1\", \"p\": 80}", { "", OUT_ENDPOINT, "a", "p", 0 }, "10.0.0.1:80" },
	{ "{\"a\": \"::1\", \"p\": 80}", { "", OUT_ENDPOINT, "a", "p", 0 }, "[::1]:80" },
	{ "{\"a\": [\"10.0.0.1\", \"::1\"], \"p\": 80}",
	  { "", OUT_ENDPOINT, "a", "p", 0 },
	  "10.0.0.1:80 +1" },
	{ "{\"a\": [\"10.0.0.1\", \"::1\"], \"p\": 80}",
	  { "", OUT_ENDPOINTS, "a", "p", 0 },
	  "10.0.0.1:80, [::1]:80" },
	{ "{\"o\": {\"i\": \"deep\"}}", { "", OUT_TEXT, "o.i", NULL, 0 }, "deep" },
	{ "{\"v\": true}", { "", OUT_YES_NO, "v", NULL, 0 }, "yes" },
	{ "{\"v\": false}", { "", OUT_YES_NO, "v", NULL, 0 }, "no" },
	/* What is missing, or of another type than promised, is no crash. */
	{ "{}", { "", OUT_BYTES, "v", NULL, 0 }, "-" },
	{ "{\"v\": null}", { "", OUT_SECONDS, "v", NULL, 0 }, "-" },
	{ "{\"v\": \"\"}", { "", OUT_TEXT, "v", NULL, 0 }, "-" },
	{ "{\"v\": \"many\"}", { "", OUT_BYTES, "v", NULL, 0 }, "many" },
	{ "{\"v\": [1]}", { "", OUT_COUNT, "v", NULL, 0 }, "-" },
	{ "{\"a\": [], \"p\": 80}", { "", OUT_ENDPOINT, "a", "p", 0 }, "" },
	{ "{\"a\": 3, \"p\": null}", { "", OUT_ENDPOINT, "a", "p", 0 }, "-:-" },
	{ "[]", { "", OUT_TEXT, "o.i", NULL, 0 }, "-" },
};

static void test_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		json_t *row = json_loads(cells[i].row, 0, NULL);
		_cleanup_(cleanup_free) char *text = out_cell(row, &cells[i].column);

		assert_non_null(row);
		assert_string_equal(text, cells[i].text);
		json_decref(row);
	}
}

static void test_control_characters_do_not_get_through(void **state)
{
	static const struct {
		const char *text, *clean;
	} rows[] = {
		{ "plain", "plain" },
		{ "\033[31mred\033[0m", "?[31mred?[0m" },
		{ "a\nb\rc\td\x7f", "a?b?c?d?" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m" },                            /* CSI as one character of C1 */
		{ "\xe2\x80\xaetxt.exe", "?txt.exe" }, /* right-to-left override */
		{ "\xe2\x81\xa6x", "?x" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x80\x93", "\xe2\x80\x93" }, /* a dash is harmless */
		{ "cut \xe2", "cut \xe2" },
		{ "cut \xe2\x80", "cut \xe2\x80" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(cleanup_free) char *clean = out_clean(rows[i].text);

		assert_string_equal(clean, rows[i].clean);
	}
}

/* Every byte, alone: what is left is never one that a terminal acts on. */
static void test_every_byte_is_clean(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char text[] = { (char)byte, 0 };
		_cleanup_(cleanup_free) char *clean = out_clean(text);

		assert_int_equal(strlen(clean), 1);
		assert_true((unsigned char)clean[0] >= 0x20 && clean[0] != 0x7f);
	}
}

/* ---- tables ------------------------------------------------------------ */

static const struct out_column table_columns[] = {
	{ "NAME", OUT_TEXT, "name", NULL, 8 },
	{ "COUNT", OUT_COUNT, "n", NULL, 0 },
	{ "STATE", OUT_STATE, "state", NULL, 0 },
	{ "END", OUT_TEXT, "end", NULL, 0 },
	{},
};

static char *render_as(const char *answer_text, const struct out_section *sections, struct out out)
{
	json_t *answer = json_loads(answer_text, 0, NULL);
	char *text = NULL;
	size_t size;

	assert_non_null(answer);
	out.file = open_memstream(&text, &size);
	out_answer(&out, answer, sections);
	(void)fclose(out.file);
	json_decref(answer);
	return text;
}

static char *render(const char *answer_text, const struct out_section *sections, bool json,
		    bool colour)
{
	return render_as(answer_text, sections, (struct out){ .json = json, .colour = colour });
}

static const char rows_text[] =
	"{\"rows\": ["
	"{\"name\": \"a\", \"n\": 7, \"state\": \"up\", \"end\": \"x\"},"
	"{\"name\": \"much-too-long\", \"n\": 1234567, \"state\": \"down\", \"end\": null},"
	"{\"name\": \"gr\\u00fcn\", \"n\": 0, \"state\": \"degraded\", \"end\": \"y\"}]}";

static void test_a_table_is_aligned(void **state)
{
	struct out_section sections[] = { { .columns = table_columns, .member = "rows" }, {} };
	_cleanup_(cleanup_free) char *text = render(rows_text, sections, false, false);

	(void)state;
	assert_string_equal(text, "NAME        COUNT  STATE     END\n"
				  "a               7  up        x\n"
				  "much-...  1234567  down      -\n"
				  "gr\xc3\xbcn            0  degraded  y\n");
}

static void test_colours_change_no_width(void **state)
{
	struct out_section sections[] = { { .columns = table_columns, .member = "rows" }, {} };
	_cleanup_(cleanup_free) char *text = render(rows_text, sections, false, true);

	(void)state;
	assert_non_null(strstr(text, "7  " OUT_GREEN "up" PLAIN "        x\n"));
	assert_non_null(strstr(text, OUT_RED "down" PLAIN "      -\n"));
	assert_non_null(strstr(text, OUT_YELLOW "degraded" PLAIN "  y\n"));
}

static void test_idle_rows_are_left_out(void **state)
{
	struct out_section sections[] = {
		{ .columns = table_columns, .member = "rows", .busy = "n" },
		{},
	};
	_cleanup_(cleanup_free) char *text = render(rows_text, sections, false, false);

	(void)state;
	assert_null(strstr(text, "degraded"));
	assert_non_null(strstr(text, "much-..."));
}

/* ---- narrow terminals ------------------------------------------------------ */

static const struct out_column wide_columns[] = {
	{ "SERVICE", OUT_TEXT, "service", NULL, 0 },
	{ "BACKEND", OUT_TEXT, "backend", NULL, 0 },
	{ "ADDRESS", OUT_ENDPOINT, "address", "port", 0 },
	{ "PACKETS", OUT_COUNT, "n", NULL, 0 },
	{ "STATE", OUT_STATE, "state", NULL, 0 },
	{ "BYTES", OUT_BYTES, "n", NULL, 0 },
	{ "REASON", OUT_TEXT, "reason", NULL, 0 },
	{},
};

static const char wide_text[] =
	"{\"rows\": ["
	"{\"service\": \"a-service-with-a-long-name\", \"backend\": \"b1\", \"port\": 443,"
	" \"address\": \"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff\", \"n\": 123456789012,"
	" \"state\": \"degraded\", \"reason\": \"the last check was answered with HTTP 503\"},"
	"{\"service\": \"web\", \"backend\": \"b2\", \"port\": 80, \"address\": \"10.0.0.1\","
	" \"n\": 1, \"state\": \"up\"}]}";

static const struct out_section wide_sections[] = {
	{ .columns = wide_columns, .member = "rows" },
	{},
};

static void test_a_table_keeps_to_a_terminal(void **state)
{
	static const struct {
		size_t width;
		const char *text;
	} rows[] = {
		{ 150,
		  "SERVICE                     BACKEND  ADDRESS                                            PACKETS  STATE        BYTES  REASON\n"
		  "a-service-with-a-long-name  b1       [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:443  123456789012  degraded  123.5 GB  the last check was answered with\n"
		  "                                                                                                                     HTTP 503\n"
		  "web                         b2       10.0.0.1:80                                              1  up             1 B  -\n" },
		{ 105,
		  "SERVICE        BACKEND  ADDRESS                     PACKETS  STATE        BYTES  REASON\n"
		  "a-service-...  b1       [2001:db8...ffff]:443  123456789012  degraded  123.5 GB  the last check was\n"
		  "                                                                                 answered with HTTP 503\n"
		  "web            b2       10.0.0.1:80                       1  up             1 B  -\n" },
		{ 80,
		  "SERVICE       BACKEND  ADDRESS                     PACKETS  STATE        BYTES\n"
		  "a-service...  b1       [2001:db8...ffff]:443  123456789012  degraded  123.5 GB\n"
		  "web           b2       10.0.0.1:80                       1  up             1 B\n"
		  "SERVICE       BACKEND  REASON\n"
		  "a-service...  b1       the last check was answered with HTTP 503\n"
		  "web           b2       -\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct out out = { .width = rows[i].width };
		_cleanup_(cleanup_free) char *text = render_as(wide_text, wide_sections, out);

		if (strcmp(text, rows[i].text) != 0)
			(void)fprintf(stderr, "%zu:\n%s", rows[i].width, text);
		assert_int_equal(strcmp(text, rows[i].text), 0);
	}
}

/* Whatever the width, as long as there is room for two columns beside the names. */
static void test_no_line_is_too_wide(void **state)
{
	(void)state;
	for (size_t width = 56; width < 200; width++) {
		struct out out = { .width = width };
		_cleanup_(cleanup_free) char *text = render_as(wide_text, wide_sections, out);
		char *line;

		for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			assert_true(strlen(line) <= width && line[strlen(line) - 1] != ' ');
	}
}

static void test_texts_are_cut(void **state)
{
	char end[] = "gr\xc3\xbcn-and-more", middle[] = "[2001:db8::\xc3\xbc:1]:443",
	     fits[] = "1234";

	(void)state;
	out_text_cut(end, 7);
	assert_string_equal(end, "gr\xc3\xbcn...");
	out_text_cut_middle(middle, 10);
	assert_string_equal(middle, "[20...:443");
	out_text_cut_middle(fits, 4);
	assert_string_equal(fits, "1234");
}

static void test_an_empty_table_says_so(void **state)
{
	struct out_section sections[] = {
		{ .columns = table_columns, .member = "rows", .empty = "nothing" },
		{ .columns = table_columns, .member = "missing", .empty = "nothing too" },
		{},
	};
	_cleanup_(cleanup_free) char *text = render("{\"rows\": []}", sections, false, false);

	(void)state;
	assert_string_equal(text, "nothing\n\nnothing too\n");
}

static void test_fields_leave_out_what_is_null(void **state)
{
	struct out_section sections[] = {
		{ .columns = table_columns, .title = "title", .fields = true },
		{},
	};
	_cleanup_(cleanup_free) char *text =
		render("{\"name\": \"a\", \"n\": 5, \"end\": null}", sections, false, false);

	(void)state;
	assert_string_equal(text, "title\nNAME   a\nCOUNT  5\n");
}

/* The same answer as JSON: all of it, numbers as they are, and pure ASCII. */
static void test_json_is_the_answer(void **state)
{
	struct out_section sections[] = { { .columns = table_columns, .member = "rows" }, {} };
	_cleanup_(cleanup_free) char *text =
		render("{\"rows\": [{\"n\": 1234567, \"name\": \"\\u001b[31m\\u009b\\u00fc\"}]}",
		       sections, true, true);
	json_t *again = json_loads(text, 0, NULL);
	const json_t *row = json_array_get(json_object_get(again, "rows"), 0);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(row, "n")), 1234567);
	for (const char *byte = text; *byte; byte++)
		assert_true(*byte == '\n' || (*byte >= 0x20 && *byte < 0x7f));
	json_decref(again);
}

/* ---- lists ------------------------------------------------------------- */

static void test_a_list_is_wrapped_and_ends(void **state)
{
	json_t *strings = json_array();
	struct out out = {};
	char *text = NULL, *line;
	size_t size, lines = 0;

	(void)state;
	json_array_append_new(strings, json_string("word word word word word word word word word "
						   "word word word word word word word word word "
						   "word word word word word word word"));
	json_array_append_new(strings, json_string("short"));
	json_array_append_new(strings, json_string("left out"));
	out.file = open_memstream(&text, &size);
	out_list(&out, &(struct out_list){ "problems:", true, 2 }, strings);
	(void)fclose(out.file);

	assert_non_null(strstr(text, "problems:\n  - word "));
	assert_non_null(strstr(text, "\n    word "));
	assert_non_null(strstr(text, "\n  - short\n  ... and 1 more"));
	assert_null(strstr(text, "left out"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++)
		assert_true(strlen(line) <= OUT_WIDTH);
	assert_int_equal(lines, 5);
	json_decref(strings);
	free(text);
}

static void test_no_problems_no_list(void **state)
{
	json_t *strings = json_array();
	struct out out = {};
	char *text = NULL;
	size_t size;

	(void)state;
	out.file = open_memstream(&text, &size);
	out_list(&out, &(struct out_list){ "problems:", true, 2 }, strings);
	(void)fclose(out.file);
	assert_string_equal(text, "");
	json_decref(strings);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_control_characters_do_not_get_through),
		cmocka_unit_test(test_every_byte_is_clean),
		cmocka_unit_test(test_a_table_is_aligned),
		cmocka_unit_test(test_colours_change_no_width),
		cmocka_unit_test(test_idle_rows_are_left_out),
		cmocka_unit_test(test_a_table_keeps_to_a_terminal),
		cmocka_unit_test(test_no_line_is_too_wide),
		cmocka_unit_test(test_texts_are_cut),
		cmocka_unit_test(test_an_empty_table_says_so),
		cmocka_unit_test(test_fields_leave_out_what_is_null),
		cmocka_unit_test(test_json_is_the_answer),
		cmocka_unit_test(test_a_list_is_wrapped_and_ends),
		cmocka_unit_test(test_no_problems_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
