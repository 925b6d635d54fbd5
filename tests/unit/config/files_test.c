// SPDX-License-Identifier: BSD-2-Clause
/* Whole files: the examples, a big one, and every cut of a good one. */
#include <glob.h>

#include "lib/base/array.h"
#include "lib/config/read.h"
#include "unit/config/full.h"

static void tables_are_sized(void **state)
{
	static const struct {
		size_t n_backends, n_services;
		unsigned size;
	} rows[] = {
		{ 1, 1, 65537 },        { 1, 512, 65537 },      { 655, 512, 65537 },
		{ 1, 513, 1021 },       { 2, 513, 1021 },       { 5, 513, 2039 },
		{ 8, 10000, 2039 },     { 9, 10000, 4093 },     { 32, 10000, 8191 },
		{ 65, 10000, 16381 },   { 66, 10000, 65537 },   { 655, 10000, 65537 },
		{ 656, 1, 131071 },     { 656, 10000, 131071 }, { 1310, 1, 131071 },
		{ 1311, 1, 655373 },    { 6553, 1, 655373 },    { 6554, 1, 16777213 },
		{ 65536, 1, 16777213 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned size = config_table_size(rows[i].n_backends, rows[i].n_services);
		unsigned divisor;

		if (size != rows[i].size)
			fail_msg("%zu backends, %zu services: %u", rows[i].n_backends,
				 rows[i].n_services, size);
		for (divisor = 2; divisor < size && divisor < 5000; divisor++)
			assert_int_not_equal(size % divisor, 0);
		assert_true(config_is_prime(size));
	}
	assert_false(config_is_prime(0) || config_is_prime(1) || config_is_prime(65535) ||
		     config_is_prime(65533 * 3));
	assert_false(config_is_prime(16381U * 16381U));
	assert_true(config_is_prime(2) && config_is_prime(3) && config_is_prime(257));
}

static void the_examples_are_taken(void **state)
{
	glob_t found = {};

	(void)state;
	assert_int_equal(glob("examples/*.yaml", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 5);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct config *config = NULL;
		struct diag diag = {};

		if (config_load(found.gl_pathv[i], &diag, &config) != 0)
			fail_msg("%s:%u:%u: %s", diag.file, diag.line, diag.column, diag.text);
		assert_true(config->n_services > 0);
		config_free(config);
	}
	globfree(&found);
}

static void a_big_file_is_taken(void **state)
{
	const size_t n_services = 10000;
	struct config *config;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	char name[16];

	(void)state;
	assert_non_null(file);
	(void)fprintf(file, "services:\n");
	for (size_t i = 0; i < n_services; i++) {
		(void)fprintf(file,
			      "- name: s%zu\n  address: 198.18.%zu.%zu\n  port: 80\n  backends:\n",
			      i, i / 250, i % 250 + 1);
		for (size_t j = 0; j < (i < 5000 ? 7 : 6); j++)
			(void)fprintf(file, "  - {name: b%zu, address: 10.%zu.%zu.%zu}\n", j, j,
				      i / 250, i % 250 + 1);
	}
	assert_int_equal(fclose(file), 0);
	config = parse(text);
	free(text);
	assert_int_equal(config->n_services, n_services);
	assert_int_equal(config->services[4999].n_backends, 7);
	assert_int_equal(config->services[4999].table_size, 2039);
	for (size_t i = 0; i < n_services; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		assert_ptr_equal(config_find_service(config, name), &config->services[i]);
	}
	config_free(config);
}

/* Whatever is left of a good file, in memory of just that size so that a
 * checker sees a read past its end: it is taken, or refused with a place.
 */
static void every_cut_is_survived(void **state)
{
	static const char full[] = FULL;
	size_t n_taken = 0;
	size_t length;

	(void)state;
	for (length = 0; length < sizeof(full); length++) {
		struct config *config = NULL;
		struct diag diag = {};
		char *cut = malloc(length ? length : 1);
		int error;

		assert_non_null(cut);
		memcpy(cut, full, length);
		error = config_parse(cut, length, "f.yaml", &diag, &config);
		free(cut);
		if (error) {
			assert_int_equal(error, -EINVAL);
			assert_true(diag.line > 0 && diag.column > 0 && diag.text[0]);
			assert_null(config);
			continue;
		}
		n_taken++;
		config_free(config);
	}
	assert_true(n_taken > 2); /* the whole, and some that are shorter */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sized),
		cmocka_unit_test(the_examples_are_taken),
		cmocka_unit_test(a_big_file_is_taken),
		cmocka_unit_test(every_cut_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
