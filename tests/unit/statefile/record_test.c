// SPDX-License-Identifier: BSD-2-Clause
/* Records of the state file: each comes back as it was written, and no other line is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/statefile/record.c"

static struct record edit(int kind)
{
	struct record record = {
		.kind = RECORD_EDIT,
		.change = { .kind = (unsigned)kind,
			    .service = "web",
			    .backend = "[2001:db8::1]:80" },
		.made_ms = 1732339916000,
		.author = { .known = true, .uid = 1000, .user = "operator" },
	};

	switch (record.change.kind) {
	case CHANGE_ADD:
		assert_int_equal(ip_parse("2001:db8::1", &record.change.ip), 0);
		record.change.port = htons(80);
		record.change.weight = CONFIG_WEIGHT_MAX;
		record.change.backup = true;
		break;
	case CHANGE_REMOVE:
		break;
	case CHANGE_WEIGHT:
		record.change.weight = 0;
		break;
	case CHANGE_ADMIN_STATE:
		record.change.admin_state = ADMIN_DRAIN;
		record.ends_ms = 1732339917000;
		break;
	}
	return record;
}

static struct record denial(const char *prefix)
{
	struct record record = { .kind = RECORD_DENY, .made_ms = 1 };

	assert_int_equal(prefix_parse(prefix, &record.prefix), 0);
	return record;
}

/* By its text: padding may differ. */
static void assert_comes_back(const struct record *record)
{
	char line[RECORD_SIZE], again[RECORD_SIZE];
	size_t length = record_format(record, line);
	struct record parsed;

	assert_true(length > 0 && length < RECORD_SIZE && line[length - 1] == '\n');
	assert_null(memchr(line, '\n', length - 1));
	line[length - 1] = '\0';
	assert_int_equal(record_parse(line, &parsed), 0);
	assert_int_equal(record_format(&parsed, again), length);
	assert_memory_equal(line, again, length - 1);
	assert_int_equal(parsed.kind, record->kind);
	assert_int_equal(parsed.undone, record->undone);
	assert_int_equal(parsed.ends_ms, record->ends_ms);
	assert_int_equal(parsed.author.known, record->author.known);
	assert_int_equal(parsed.author.uid, record->author.uid);
	assert_int_equal(parsed.change.kind, record->change.kind);
	assert_int_equal(parsed.change.weight, record->change.weight);
	assert_int_equal(parsed.change.admin_state, record->change.admin_state);
	assert_int_equal(prefix_compare(&parsed.prefix, &record->prefix), 0);
}

static void records_come_back(void **state)
{
	static const char *const prefixes[] = { "203.0.113.9", "198.51.100.0/24", "2001:db8::/32",
						"2001:db8:1:2:3:4:5:6", "128.0.0.0/1" };

	(void)state;
	for (int kind = CHANGE_ADD; kind <= CHANGE_ADMIN_STATE; kind++) {
		struct record record = edit(kind);

		assert_comes_back(&record);
		record.undone = true;
		assert_comes_back(&record);
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct record record = denial(prefixes[i]);

		assert_comes_back(&record);
		record.ends_ms = TIME_MAX_MS;
		record.author.known = true;
		assert_comes_back(&record);
	}
}

static void the_longest_fits(void **state)
{
	struct record record = edit(CHANGE_ADD);

	(void)state;
	memset(record.change.service, 's', CONFIG_NAME_MAX);
	memset(record.change.backend, 'b', CONFIG_NAME_MAX);
	memset(record.author.user, 'u', AUTHOR_USER_SIZE - 1);
	assert_int_equal(ip_parse("2001:db8:1111:2222:3333:4444:5555:6666", &record.change.ip), 0);
	record.undone = true;
	record.ends_ms = record.made_ms = TIME_MAX_MS;
	record.author.uid = UINT_MAX;
	assert_comes_back(&record);
}

static void names_of_users_break_no_line(void **state)
{
	struct record record = denial("203.0.113.9");
	char line[RECORD_SIZE];

	(void)state;
	record.author.known = true;
	(void)snprintf(record.author.user, sizeof(record.author.user), "a\"b\\c\nd");
	(void)record_format(&record, line);
	assert_non_null(strstr(line, "\"user\":\"a?b?c?d\""));
}

#define DENY(more)   "{\"change\":\"deny\",\"prefix\":\"203.0.113.9\",\"made\":1" more "}"
#define CHANGE(more) "{\"change\":" more ",\"made\":1}"
#define WEB          "\"service\":\"web\",\"backend\":\"b\""

static void other_lines_are_none(void **state)
{
	static const char *const lines[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"change\":\"deny\"}",
		"{\"change\":\"deny\",\"made\":1}",
		"{\"change\":\"deny\",\"prefix\":\"203.0.113.9\"}",
		"{\"change\":\"deny\",\"prefix\":\"0.0.0.0/0\",\"made\":1}",
		"{\"change\":\"deny\",\"prefix\":\"203.0.113.9/24\",\"made\":1}",
		"{\"change\":\"deny\",\"prefix\":\"x\",\"made\":1}",
		DENY(",\"more\":1"),
		DENY(",\"made\":2"),
		DENY(",\"ends\":-1"),
		DENY(",\"ends\":253402300800000"),
		DENY(",\"ends\":\"1\""),
		DENY(",\"ends\":1.5"),
		DENY(",\"uid\":-2"),
		DENY(",\"uid\":4294967296"),
		DENY(",\"user\":\"a b\""),
		DENY(",\"user\":\"a\\nb\""),
		DENY(",\"user\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
		DENY(",\"undone\":1"),
		DENY("") " x",
		CHANGE("\"explode\"," WEB),
		CHANGE("\"remove\",\"service\":\"web\""),
		CHANGE("\"remove\",\"service\":\"\",\"backend\":\"b\""),
		CHANGE("\"remove\",\"service\":\"we b\",\"backend\":\"b\""),
		CHANGE("\"weight\"," WEB),
		CHANGE("\"weight\"," WEB ",\"weight\":65536"),
		CHANGE("\"weight\"," WEB ",\"weight\":-1"),
		CHANGE("\"state\"," WEB),
		CHANGE("\"state\"," WEB ",\"state\":\"sideways\""),
		CHANGE("\"add\"," WEB),
		CHANGE("\"add\"," WEB ",\"address\":\"10.0.0.1\",\"port\":0,\"weight\":1,"
		       "\"state\":\"up\""),
		CHANGE("\"add\"," WEB ",\"address\":\"10.0.0.256\",\"port\":1,\"weight\":1,"
		       "\"state\":\"up\""),
		CHANGE("\"add\"," WEB ",\"address\":\"10.0.0.1\",\"port\":65536,\"weight\":1,"
		       "\"state\":\"up\""),
	};
	struct record record;

	(void)state;
	assert_int_equal(record_parse(DENY(""), &record), 0);
	assert_int_equal(record_parse(CHANGE("\"remove\"," WEB), &record), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (record_parse(lines[i], &record) != -EINVAL)
			fail_msg("%s is taken", lines[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_back),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(names_of_users_break_no_line),
		cmocka_unit_test(other_lines_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
