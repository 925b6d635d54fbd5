// SPDX-License-Identifier: BSD-2-Clause
/* What the log writes: caught by putting a pipe in the place of stderr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/clock.c"
#include "daemon/log.c"
#include "lib/base/array.h"

#include <fcntl.h>

static struct {
	int stderr_fd, read_fd;
	char caught[8192];
} t;

static int set_up(void **state)
{
	int fds[2];

	(void)state;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	t.stderr_fd = dup(STDERR_FILENO);
	t.read_fd = fds[0];
	(void)fcntl(t.read_fd, F_SETFL, O_NONBLOCK);
	(void)dup2(fds[1], STDERR_FILENO);
	(void)close(fds[1]);
	(void)unsetenv("JOURNAL_STREAM");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)dup2(t.stderr_fd, STDERR_FILENO);
	(void)close(t.stderr_fd);
	(void)close(t.read_fd);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static const char *caught(void)
{
	ssize_t n = read(t.read_fd, t.caught, sizeof(t.caught) - 1);

	t.caught[n > 0 ? n : 0] = '\0';
	return t.caught;
}

/* As systemd would set it for what stderr is now. */
static void claim_journal(int inode_offset)
{
	char stream[64];
	struct stat st;

	(void)fstat(STDERR_FILENO, &st);
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino + inode_offset);
	(void)setenv("JOURNAL_STREAM", stream, 1);
}

static void test_timestamp(void **state)
{
	const char *form = "dddd-dd-ddTdd:dd:dd.dddZ info 3 of 4\n";
	const char *line;

	(void)state;
	log_info("%d of %d", 3, 4);
	line = caught();
	assert_int_equal(strlen(line), strlen(form));
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' && i < 23)
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], form[i]);
}

static void test_journal(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	claim_journal(0);
	log_error("a");
	log_warning("b");
	log_info("c");
	log_debug("d");
	assert_string_equal(caught(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

static void test_not_the_journal(void **state)
{
	static const char *const streams[] = { "", "1", "1:", "x:y", "1:2x" };

	(void)state;
	claim_journal(1);
	log_info("redirected since");
	assert_non_null(strstr(caught(), "Z info redirected since\n"));
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		(void)setenv("JOURNAL_STREAM", streams[i], 1);
		log_info("a");
		assert_non_null(strstr(caught(), "Z info a\n"));
	}
}

static void test_level(void **state)
{
	(void)state;
	log_debug("no");
	assert_string_equal(caught(), "");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("no");
	assert_string_equal(caught(), "");
	log_error("yes");
	assert_non_null(strstr(caught(), "Z error yes\n"));
}

static const struct escape_case {
	const char *text, *line;
} escapes[] = {
	{ "plain ~ text", "plain ~ text" },
	{ "a\nb\r\tc", "a\\x0ab\\x0d\\x09c" },
	{ "\x1b[31m\x7f", "\\x1b[31m\\x7f" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82",
	  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82" },
	{ "\xc2\x9b"
	  "31m",
	  "\\xc2\\x9b31m" },                   /* U+009B, a terminal's CSI */
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* line separator */
	{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* right to left from here */
	{ "\xff\xfe\x80", "\\xff\\xfe\\x80" },
	{ "\xc3", "\\xc3" }, /* cut short */
	{ "\xc3(", "\\xc3(" },
	{ "\xe2\x82", "\\xe2\\x82" },
	{ "\xc0\x8a", "\\xc0\\x8a" }, /* a newline, overlong */
	{ "\xe0\x80\x8a", "\\xe0\\x80\\x8a" },
	{ "\xf0\x80\x80\x8a", "\\xf0\\x80\\x80\\x8a" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
};

static void test_escapes(void **state)
{
	(void)state;
	claim_journal(0);
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
		char wanted[256];

		log_info("%s", escapes[i].text);
		(void)snprintf(wanted, sizeof(wanted), "<6>%s\n", escapes[i].line);
		assert_string_equal(caught(), wanted);
	}
}

/* The longest line there can be: still one line, and one write. */
static void test_long(void **state)
{
	char text[3000];
	const char *line;

	(void)state;
	(void)memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	line = caught();
	assert_in_range(strlen(line), 3500, 4096);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_string_equal(line + strlen(line) - 8, "\\x0a...\n");

	claim_journal(0);
	text[LOG_TEXT_SIZE - 1] = '\0'; /* just fits */
	log_info("%s", text);
	assert_int_equal(strlen(caught()), 3 + 4 * (LOG_TEXT_SIZE - 1) + 1);
}

static void test_keeps_errno(void **state)
{
	(void)state;
	errno = EAGAIN;
	log_info("a");
	assert_int_equal(errno, EAGAIN);
	assert_true(*caught());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_timestamp),   TEST(test_journal), TEST(test_not_the_journal),
		TEST(test_level),       TEST(test_escapes), TEST(test_long),
		TEST(test_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
