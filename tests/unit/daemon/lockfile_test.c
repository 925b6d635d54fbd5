// SPDX-License-Identifier: BSD-2-Clause
/* Locks that files stand for: one holder, and only files that no other user can open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/lockfile.c"

static struct {
	char directory[64];
	char path[128], other[128];
} t;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(t.directory, sizeof(t.directory), "/tmp/lockfile_test.XXXXXX");
	if (!mkdtemp(t.directory))
		return -1;
	(void)snprintf(t.path, sizeof(t.path), "%s/lock", t.directory);
	(void)snprintf(t.other, sizeof(t.other), "%s/other", t.directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(t.path);
	(void)rmdir(t.other);
	(void)unlink(t.other);
	return rmdir(t.directory);
}

static void make(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void test_one_holder(void **state)
{
	pid_t holder = 0;
	int fd, second;

	(void)state;
	assert_int_equal(lockfile_take(t.path, &fd, &holder), 0);
	assert_int_equal(lockfile_take(t.path, &second, &holder), -EWOULDBLOCK);
	assert_int_equal(holder, getpid());
	(void)close(fd);
	assert_int_equal(lockfile_take(t.path, &fd, &holder), 0);
	(void)close(fd);
}

static void test_a_file_that_is_left_is_no_lock(void **state)
{
	pid_t holder;
	int fd;

	(void)state;
	make(t.path, 0600);
	assert_int_equal(lockfile_take(t.path, &fd, &holder), 0);
	assert_true(lockfile_is_current(fd, t.path));
	assert_int_equal(unlink(t.path), 0);
	assert_false(lockfile_is_current(fd, t.path));
	(void)close(fd);
}

static void test_a_file_that_others_can_open(void **state)
{
	pid_t holder;
	int fd;

	(void)state;
	for (mode_t bit = 040; bit; bit >>= 1) {
		make(t.path, 0600 | bit);
		assert_int_equal(lockfile_take(t.path, &fd, &holder), -EPERM);
	}
	assert_int_equal(chmod(t.path, 0600), 0);
	assert_int_equal(lockfile_take(t.path, &fd, &holder), 0);
	(void)close(fd);
	if (geteuid())
		return;
	assert_int_equal(chown(t.path, 65534, 65534), 0);
	assert_int_equal(lockfile_take(t.path, &fd, &holder), -EPERM);
}

static void test_links_and_other_things(void **state)
{
	pid_t holder;
	int fd;

	(void)state;
	assert_int_equal(symlink(t.other, t.path), 0);
	assert_int_equal(lockfile_take(t.path, &fd, &holder), -ELOOP);
	assert_int_equal(access(t.other, F_OK), -1);
	(void)unlink(t.path);
	assert_int_equal(mkfifo(t.path, 0600), 0);
	assert_int_equal(lockfile_take(t.path, &fd, &holder), -EPERM);
}

static void test_directories(void **state)
{
	char deep[160];

	(void)state;
	(void)snprintf(deep, sizeof(deep), "%s/a/b", t.other);
	assert_int_equal(lockfile_make_directory(deep), 0);
	assert_int_equal(rmdir(deep), 0);
	(void)snprintf(deep, sizeof(deep), "%s/a", t.other);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(lockfile_make_directory(t.other), 0);
	assert_int_equal(chmod(t.other, 01777), 0);
	assert_int_equal(lockfile_make_directory(t.other), -EPERM);
	assert_int_equal(rmdir(t.other), 0);
	assert_int_equal(symlink("/", t.other), 0);
	assert_int_equal(lockfile_make_directory(t.other), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_holder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_left_is_no_lock, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_others_can_open, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_links_and_other_things, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directories, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
