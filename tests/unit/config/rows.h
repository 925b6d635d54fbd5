/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of configurations that must be refused: the place and the words. With
 * SHOW=1 in the environment every message is printed, for people to judge.
 */
#ifndef SLUICE_TESTS_UNIT_CONFIG_ROWS_H
#define SLUICE_TESTS_UNIT_CONFIG_ROWS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"

/* A service, in lines 1 to 4, for the keys under test to follow in line 5. */
#define WEB      "services:\n- name: web\n  address: 198.51.100.10\n  port: 80\n"
#define BACKENDS "  backends: [{address: 10.0.0.1}]\n"

/* In line 5, the keys from column 11 on. */
#define LIMIT(keys) WEB "  limit: {" keys "}\n" BACKENDS

struct row {
	const char *what;
	const char *yaml;
	const char *place; /* line:column */
	const char *text;  /* found in the message */
};

/* Prints what is wrong, and tells whether nothing is. */
static bool row_holds(const struct row *row)
{
	struct config *config = NULL;
	struct diag diag = {};
	char message[1200];
	char place[64];
	int error;

	error = config_parse(row->yaml, strlen(row->yaml), "f.yaml", &diag, &config);
	diag_format(&diag, message, sizeof(message));
	if (getenv("SHOW"))
		print_message("%-30s %s\n", row->what, message);
	if (error != -EINVAL || config) {
		print_error("%s: gave %d, %s\n", row->what, error, config ? "accepted" : "refused");
		config_free(config);
		return false;
	}
	(void)snprintf(place, sizeof(place), "f.yaml:%s: ", row->place);
	if (strncmp(message, place, strlen(place)) == 0 && strstr(message, row->text))
		return true;
	print_error("%s:\n  said   %s\n  wanted %s...%s\n", row->what, message, place, row->text);
	return false;
}

static inline void check_rows(const struct row *rows, size_t n_rows)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n_rows; i++)
		wrong += !row_holds(&rows[i]);
	assert_int_equal(wrong, 0);
}

#define CHECK_ROWS(rows) check_rows(rows, ARRAY_SIZE(rows))

#endif
