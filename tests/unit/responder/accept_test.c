// SPDX-License-Identifier: BSD-2-Clause
/* responder/accept: what a client asks for, in any spelling, kind or hostile. */
#include "responder/accept.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/array.h"

#define PROBLEM "application/problem+json"

static const struct {
	const char *lines[3]; /* of the field */
	const char *other;    /* NULL: text/plain */
	bool problem;
} rows[] = {
	{ { NULL }, NULL, false },
	{ { "" }, NULL, false },
	{ { PROBLEM }, NULL, true },
	{ { "Application/Problem+JSON" }, NULL, true },
	{ { "  " PROBLEM " ; charset=utf-8 " }, NULL, true },
	{ { "application/json" }, NULL, false },
	/* A range is no request: curl and browsers send one. */
	{ { "*/*" }, NULL, false },
	{ { "application/*" }, NULL, false },
	{ { "text/html,application/xhtml+xml,*/*;q=0.8" }, NULL, false },
	/* Weights. */
	{ { PROBLEM ";q=0" }, NULL, false },
	{ { PROBLEM "; Q=0.000" }, NULL, false },
	{ { PROBLEM ";q=0.001" }, NULL, true },
	{ { PROBLEM ";q=0.5, text/plain" }, NULL, false },
	{ { "text/plain;q=0.4, " PROBLEM ";q=0.5" }, NULL, true },
	{ { "text/plain, " PROBLEM }, NULL, true },
	{ { PROBLEM ";q=0.5, */*;q=0.6" }, NULL, false },
	{ { PROBLEM ";q=0.5, */*;q=0.4" }, NULL, true },
	{ { "*/*;q=1, text/*;q=0.2, " PROBLEM ";q=0.3" }, NULL, true },
	{ { "text/*;q=0.2, */*;q=1, " PROBLEM ";q=0.3" }, NULL, true },
	{ { "text/plain;q=0, */*, " PROBLEM ";q=0.1" }, NULL, true },
	{ { "text/html, " PROBLEM ";q=0.9" }, NULL, true },
	{ { "text/html, " PROBLEM ";q=0.9" }, "text/html; charset=utf-8", false },
	{ { "text/html;level=1;q=0.1, " PROBLEM ";q=0.9" }, "text/html", true },
	/* Several lines are one list. */
	{ { "text/plain;q=0.2", PROBLEM ";q=0.3" }, NULL, true },
	{ { PROBLEM ";q=0.3", "text/plain" }, NULL, false },
	/* Malformed items are left out. */
	{ { PROBLEM ";q=1.5" }, NULL, false },
	{ { PROBLEM ";q=-1" }, NULL, false },
	{ { PROBLEM ";q=" }, NULL, false },
	{ { PROBLEM ";q=0.1234" }, NULL, false },
	{ { PROBLEM ";q=1x" }, NULL, false },
	{ { PROBLEM ";q=.5" }, NULL, false },
	{ { PROBLEM ";q=nan, text/plain;q=0.1" }, NULL, false },
	{ { PROBLEM "x" }, NULL, false },
	{ { "x" PROBLEM }, NULL, false },
	{ { "application/problem +json" }, NULL, false },
	{ { ",,, ;;; ," PROBLEM ",,," }, NULL, true },
	{ { "text/plain;a=\"," PROBLEM "\"" }, NULL, false },
	{ { "x/y;a=\"\\\",\", " PROBLEM }, NULL, true },
	{ { "x/y;a=\"unended, " PROBLEM }, NULL, false },
	{ { PROBLEM ";a=\";q=0\"" }, NULL, true },
	{ { "text/plain;a=\"\\" }, NULL, false },
};

static bool asks(size_t row)
{
	struct accept accept = {};

	for (size_t i = 0; i < ARRAY_SIZE(rows[row].lines) && rows[row].lines[i]; i++)
		accept_take(&accept, rows[row].lines[i],
			    rows[row].other ?: "text/plain; charset=utf-8");
	return accept_is_problem(&accept);
}

static void test_what_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (asks(i) != rows[i].problem)
			fail_msg("row %zu: %s", i, rows[i].lines[0] ?: "none");
}

/* Random bytes of the alphabet of such a field end, and stay in their buffer (ASan). */
static void test_any_bytes_end(void **state)
{
	static const char alphabet[] = "application/problem+json*;q=01.5,\"\\ \t";

	(void)state;
	srandom(20261129);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)random() % 200;
		char *line = malloc(length + 1);
		struct accept accept = {};

		for (size_t i = 0; i < length; i++)
			line[i] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
		line[length] = '\0';
		accept_take(&accept, line, "text/plain");
		assert_true(accept.problem <= WEIGHT_MAX && accept.other <= WEIGHT_MAX);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_asked_for),
		cmocka_unit_test(test_any_bytes_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
