// SPDX-License-Identifier: BSD-2-Clause
/* The state file: what is put there is read again, also after a crash at any point; a file
 * with a fault is never lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/lockfile.c"
#include "daemon/statefile/path.c"
#include "daemon/statefile/read.c"
#include "daemon/statefile/record.c"
#include "daemon/statefile/statefile.c"

#define MANY (SMALL * 3)

void log_write(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

/* A model of the content: denied prefixes 10.0.x.y/32 by number. */
static struct {
	char directory[64];
	char path[128];
	unsigned held[2 * MANY];
	size_t n;
	unsigned taken[4 * MANY];
	bool undone[4 * MANY];
	size_t n_taken;
} t;

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	(void)snprintf(t.directory, sizeof(t.directory), "/tmp/statefile_test.XXXXXX");
	if (!mkdtemp(t.directory))
		return -1;
	(void)snprintf(t.path, sizeof(t.path), "%s/state", t.directory);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", t.directory);
	return system(command);
}

static struct record denial(unsigned number)
{
	struct record record = { .kind = RECORD_DENY, .made_ms = 1 };
	char text[32];

	(void)snprintf(text, sizeof(text), "10.0.%u.%u", number / 256, number % 256);
	assert_int_equal(prefix_parse(text, &record.prefix), 0);
	return record;
}

static void get(const void *arg, size_t number, struct record *ret_record)
{
	(void)arg;
	*ret_record = denial(t.held[number]);
}

static int take(void *arg, const struct record *record)
{
	const __u8 *bytes = record->prefix.ip.addr.bytes;

	(void)arg;
	t.undone[t.n_taken] = record->undone;
	t.taken[t.n_taken++] = bytes[14] * 256U + bytes[15];
	return 0;
}

static struct statefile *open_it(void)
{
	struct statefile *file;
	struct diag diag = {};

	t.n_taken = 0;
	assert_int_equal(statefile_open(t.path, take, NULL, &diag, &file), 0);
	assert_true(statefile_is_usable(file));
	return file;
}

static void put(struct statefile *file, const struct record *news)
{
	const struct statefile_content content = { .n = t.n, .get = get };
	struct diag diag = {};

	assert_int_equal(statefile_put(file, &content, news, &diag), 0);
}

static void add_one(struct statefile *file)
{
	struct record news = denial((unsigned)t.n);

	t.held[t.n] = (unsigned)t.n;
	t.n++;
	put(file, &news);
}

static void remove_last(struct statefile *file)
{
	struct record news = denial(t.held[--t.n]);

	news.undone = true;
	put(file, &news);
}

/* As after a crash: nothing but the file is left. */
static void assert_holds(void)
{
	struct statefile *file = open_it();
	bool held[2 * MANY] = {};
	size_t n = 0;

	for (size_t i = 0; i < t.n_taken; i++)
		held[t.taken[i]] = !t.undone[i];
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		n += held[i];
	assert_int_equal(n, t.n);
	for (size_t i = 0; i < t.n; i++)
		assert_true(held[t.held[i]]);
	assert_string_equal(file->aside, "");
	statefile_free(file);
}

static void what_is_put_is_read_again(void **state)
{
	struct statefile *file = open_it();

	(void)state;
	assert_int_equal(access(t.path, F_OK), -1);
	for (int i = 0; i < MANY; i++) {
		add_one(file);
		if (i % 50 && i != SMALL && i != SMALL + 1)
			continue;
		statefile_free(file);
		assert_holds();
		file = open_it();
	}
	while (t.n) {
		remove_last(file);
		if (t.n % 50)
			continue;
		statefile_free(file);
		assert_holds();
		file = open_it();
	}
	assert_int_equal(access(t.path, F_OK), -1);
	statefile_free(file);
}

static void assert_private(void)
{
	struct stat status;

	assert_int_equal(stat(t.path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void a_long_file_grows_and_is_made_anew(void **state)
{
	struct statefile *file = open_it();
	unsigned anew = 0;

	(void)state;
	while (t.n < MANY)
		add_one(file);
	for (int i = 0; i < 4 * MANY; i++) {
		size_t before = file->n_lines;

		if (i % 2)
			add_one(file);
		else
			remove_last(file);
		anew += file->n_lines < before;
		assert_true(file->n_lines <= 2 * (t.n + 1));
	}
	assert_true(anew >= 2 && anew < 8);
	assert_private();
	statefile_free(file);
	assert_holds();
}

static void a_file_that_was_replaced_by_hand_is_not_appended_to(void **state)
{
	struct statefile *file = open_it();

	(void)state;
	while (t.n < MANY)
		add_one(file);
	assert_int_equal(unlink(t.path), 0);
	add_one(file);
	statefile_free(file);
	assert_holds();
}

/* Whatever is left of a file is taken, or kept aside whole. */
static void every_cut_is_told(void **state)
{
	struct statefile *file = open_it();
	char whole[8192], left[8192], aside[160];
	size_t length, n;
	FILE *stream;

	(void)state;
	while (t.n < 10)
		add_one(file);
	statefile_free(file);
	stream = fopen(t.path, "r");
	length = fread(whole, 1, sizeof(whole), stream);
	(void)fclose(stream);
	(void)snprintf(aside, sizeof(aside), "%s.bad", t.path);
	for (size_t cut = 0; cut < length; cut++) {
		stream = fopen(t.path, "w");
		(void)fwrite(whole, 1, cut, stream);
		(void)fclose(stream);
		file = open_it();
		assert_string_equal(file->aside, aside);
		assert_true(t.n_taken < 10);
		for (size_t i = 0; i < t.n_taken; i++)
			assert_int_equal(t.taken[i], i);
		statefile_free(file);
		stream = fopen(aside, "r");
		n = fread(left, 1, sizeof(left), stream);
		(void)fclose(stream);
		assert_int_equal(n, cut);
		assert_memory_equal(left, whole, cut);
		assert_int_equal(unlink(aside), 0);
	}
}

static void one_daemon_has_it(void **state)
{
	struct statefile *file = open_it(), *second;
	struct diag diag = {};

	(void)state;
	assert_int_equal(statefile_open(t.path, take, NULL, &diag, &second), -EBUSY);
	assert_non_null(strstr(diag.text, "--state"));
	statefile_free(file);
	file = open_it();
	statefile_free(file);
}

static void a_file_that_others_can_write_is_not_believed(void **state)
{
	const struct statefile_content content = { .n = 0, .get = get };
	struct statefile *file = open_it();
	char text[STATEFILE_TEXT_SIZE];
	struct diag diag = {};

	(void)state;
	add_one(file);
	statefile_free(file);
	assert_int_equal(chmod(t.path, 0620), 0);
	t.n_taken = 0;
	assert_int_equal(statefile_open(t.path, take, NULL, &diag, &file), 0);
	assert_int_equal(t.n_taken, 0);
	assert_non_null(statefile_problem(file, text));
	assert_int_equal(statefile_put(file, &content, NULL, &diag), -EIO);
	statefile_free(file);
	assert_int_equal(access(t.path, F_OK), 0);

	assert_int_equal(chmod(t.path, 0600), 0);
	assert_int_equal(chmod(t.directory, 0777), 0);
	assert_int_equal(statefile_open(t.path, take, NULL, &diag, &file), 0);
	assert_false(statefile_is_usable(file));
	statefile_free(file);
	assert_int_equal(chmod(t.directory, 0700), 0);
	assert_holds();
}

static void each_socket_has_its_file(void **state)
{
	static const struct {
		const char *socket, *path;
	} rows[] = {
		{ SL_API_SOCKET, "/var/lib/sluice/state" },
		{ "/run/nosuch/a.sock", "/var/lib/sluice/state-run-nosuch-a.sock" },
		{ "/run/nosuch-a.sock", "/var/lib/sluice/state-run-nosuch%2Da.sock" },
		{ "/run/nosuch/%2D", "/var/lib/sluice/state-run-nosuch-%252D" },
		{ "/run/nosuch/\xc3\xa4 b", "/var/lib/sluice/state-run-nosuch-%C3%A4%20b" },
	};
	char path[STATEFILE_PATH_SIZE], longest[120];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(statefile_default_path(rows[i].socket, path), 0);
		assert_string_equal(path, rows[i].path);
	}
	memset(longest, '-', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(statefile_default_path(longest, path), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_put_is_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_file_grows_and_is_made_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_was_replaced_by_hand_is_not_appended_to,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_cut_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_daemon_has_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_others_can_write_is_not_believed,
						set_up, tear_down),
		cmocka_unit_test(each_socket_has_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
