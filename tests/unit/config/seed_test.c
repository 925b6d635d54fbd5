// SPDX-License-Identifier: BSD-2-Clause
/* hash_seed: {file: PATH}: files that hold a seed, and those that do not. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config/compare.h"
#include "lib/config/copy.h"
#include "lib/config/read.h"
#include "lib/config/write.h"
#include "unit/config/rows.h"

static char dir[64]; /* of this run's files */

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) == EOF, 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(const char *yaml, struct diag *diag, struct config **ret_config)
{
	char path[128];

	write_file("sluice.yaml", yaml, 0644);
	(void)snprintf(path, sizeof(path), "%s/sluice.yaml", dir);
	return config_load(path, diag, ret_config);
}

#define SECRET "0123456789abcdef0123456789ABCDEF"

static void good_files(void **state)
{
	static const struct {
		const char *text, *digits; /* in lower case */
	} rows[] = {
		{ "0123456789abcdef", "0123456789abcdef" },
		{ "0123456789ABCDEF\n", "0123456789abcdef" },
		{ SECRET "\r\n", "0123456789abcdef0123456789abcdef" },
		{ SECRET SECRET " \n\n",
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(config_freep) struct config *config = NULL;
		struct diag_list list = {};
		struct diag diag = { .list = &list };

		write_file("seed", rows[i].text, 0600);
		if (load("hash_seed: {file: seed}\n", &diag, &config) != 0)
			fail_msg("row %zu: %s", i, diag.text);
		assert_true(config->hash_seed ==
			    config_seed_of_text(rows[i].digits, strlen(rows[i].digits)));
		assert_string_equal(config->hash_seed_file, "seed");
		assert_int_equal(list.n, 0);
	}
}

static void bad_files(void **state)
{
	static const struct {
		const char *file, *text, *words;
	} rows[] = {
		{ "seed", "",
		  "\"seed\" holds no seed; a file of a seed holds one line of 16 to 64" },
		{ "seed", "\n", "holds no seed" },
		{ "seed", "0123456789abcde\n", "\"seed\" has 15 digits; a file of a seed holds" },
		{ "seed", SECRET SECRET "0", "has 65 digits" },
		{ "seed", SECRET " " SECRET, "holds no seed" },
		{ "seed", SECRET "\n" SECRET "\n", "holds no seed" },
		{ "seed", " " SECRET, "holds no seed" },
		{ "seed", "0x" SECRET, "holds no seed" },
		{ "seed", "frankfurt-edge-secret", "holds no seed" },
		{ "none", "", "\"none\" cannot be read: No such file or directory" },
		{ "/dev/zero", "", "is not a regular file" },
		{ ".", "", "cannot be read: Is a directory" },
		{ "\"a\\n\"", "", "is not a file of a seed; a path of up to 1023" },
	};
	char yaml[128], message[1200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config = NULL;
		struct diag diag = {};

		write_file("seed", rows[i].text, 0600);
		(void)snprintf(yaml, sizeof(yaml), "hash_seed: {file: %s}\n", rows[i].file);
		assert_int_equal(load(yaml, &diag, &config), -EINVAL);
		diag_format(&diag, message, sizeof(message));
		if (!strstr(message, rows[i].words) || !strstr(message, "sluice.yaml:1:19: "))
			fail_msg("row %zu: %s", i, message);
		assert_null(strstr(message, "0123456789abcde"));
		assert_null(strstr(message, "frankfurt"));
	}
}

static void others_who_can_read_are_warned_of(void **state)
{
	static const struct {
		mode_t mode;
		bool warned;
	} rows[] = { { 0600, false }, { 0400, false }, { 0640, false }, { 0604, true },
		     { 0644, true },  { 0606, true },  { 0620, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(config_freep) struct config *config = NULL;
		_cleanup_(diag_list_done) struct diag_list list = {};
		struct diag diag = { .list = &list };

		write_file("seed", SECRET, rows[i].mode);
		assert_int_equal(load("hash_seed: {file: seed}\n", &diag, &config), 0);
		assert_int_equal(list.n, rows[i].warned);
		assert_true(!rows[i].warned || strstr(list.items[0].diag.text, "chmod 600"));
	}
}

/* Written, read again and copied it is the same; another file, or another seed, is another. */
static void it_is_written_and_compared(void **state)
{
	_cleanup_(config_freep) struct config *config = NULL, *again = NULL, *other = NULL;
	_cleanup_(config_freep) struct config *copy = NULL;
	_cleanup_(cleanup_free) char *text = NULL;
	struct config_difference difference;
	struct diag diag = {};

	(void)state;
	write_file("seed", SECRET, 0600);
	write_file("seed2", SECRET, 0600);
	assert_int_equal(load("hash_seed: {file: seed}\n", &diag, &config), 0);
	assert_int_equal(config_write(config, &text), 0);
	assert_string_equal(text, "hash_seed: {file: seed}\n");
	assert_int_equal(load(text, &diag, &again), 0);
	assert_int_equal(config_compare(config, again, &difference), 0);
	assert_false(difference.hash_seed);
	assert_int_equal(config_copy(config, &copy), 0);
	assert_string_equal(copy->hash_seed_file, "seed");
	assert_ptr_not_equal(copy->hash_seed_file, config->hash_seed_file);
	assert_int_equal(load("hash_seed: {file: seed2}\n", &diag, &other), 0);
	assert_true(other->hash_seed == config->hash_seed);
	assert_int_equal(config_compare(config, other, &difference), 0);
	assert_true(difference.hash_seed);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/sluice-seed-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "seed", "seed2", "sluice.yaml" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(others_who_can_read_are_warned_of),
		cmocka_unit_test(it_is_written_and_compared),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
