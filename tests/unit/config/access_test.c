// SPDX-License-Identifier: BSD-2-Clause
/* Lists of prefixes in the configuration itself: what they hold, and what they
 * cannot be.
 */
#include "lib/base/array.h"
#include "unit/config/full.h"
#include "unit/config/rows.h"

static void bad_lists(void **state)
{
	static const struct row rows[] = {
		{ "a text", "deny: 10.0.0.0/8\n", "1:7",
		  "deny: \"10.0.0.0/8\" is not a list of prefixes; write [192.0.2.0/24, {file: PATH}]" },
		{ "a map", "deny: {file: x}\n", "1:7", "a map is not a list of prefixes" },
		{ "a word", "deny: [10.0.0.0/8, none]\n", "1:20",
		  "deny[1]: \"none\" is not a prefix; write one like 192.0.2.0/24, 2001:db8::/32, an address, or {file: PATH}" },
		{ "hostile", "deny: [\"\\e[31m\"]\n", "1:8", "\"\\x1b[31m\" is not a prefix" },
		{ "a list", "deny: [[10.0.0.0/8]]\n", "1:8", "deny[0]: a list is not a prefix" },
		{ "empty", "deny: ['']\n", "1:8", "deny[0]: has no value, wants a prefix" },
		{ "host bits", WEB "  deny: [192.0.2.7/24]\n" BACKENDS, "5:10",
		  "services.web.deny[0]: \"192.0.2.7/24\" has bits behind the prefix; did you mean 192.0.2.0/24?" },
		{ "IPv4 as IPv6", "deny: ['::ffff:192.0.2.1']\n", "1:8",
		  "is IPv4 in the form of IPv6; did you mean 192.0.2.1?" },
		{ "too long", "allow: [192.0.2.0/33]\n", "1:9",
		  "a prefix of IPv4 has at most 32 bits" },
		{ "unknown", "deny: [{path: x}]\n", "1:9",
		  "deny[0].path: is not a key of this version; an entry of prefixes has: file" },
		{ "no file", "deny: [{}]\n", "1:8", "an entry of prefixes needs the key file" },
		{ "file: empty", "deny: [{file: ''}]\n", "1:15",
		  "deny[0].file: has no value, wants a file of prefixes" },
		{ "file: list", "deny: [{file: [a]}]\n", "1:15",
		  "a list is not a file of prefixes" },
		{ "file: hostile", "deny: [{file: \"a\\nb\"}]\n", "1:15",
		  "\"a\\x0ab\" is not a file of prefixes; a path of up to 1023 printable" },
		{ "allow nobody", "allow: []\n", "1:8",
		  "allow: has no prefix, so nobody would be let in; leave it out to let everybody in, or write deny: [0.0.0.0/0, \"::/0\"]" },
		{ "allow nothing", WEB "  allow:\n" BACKENDS, "5:9",
		  "services.web.allow: has no prefix" },
		{ "both", "allow: [10.0.0.0/8, 10.1.0.0/16]\ndeny: [192.0.2.1, 10.1.0.0/16]\n",
		  "2:19", "deny[1]: 10.1.0.0/16 stands in allow too; keep one" },
		{ "both, of a service",
		  WEB "  deny: ['2001:DB8::1/128']\n  allow: ['2001:db8::1']\n" BACKENDS, "5:10",
		  "services.web.deny[0]: 2001:db8::1/128 stands in allow too; keep one" },
		{ "both, denied by a file",
		  "deny: [{file: examples/deny.txt}]\nallow: [203.0.113.0/24]\n", "2:9",
		  "allow[0]: 203.0.113.0/24 stands in a file of deny too; keep one" },
		{ "both, by files",
		  "deny: [{file: examples/deny.txt}]\nallow: [{file: examples/deny.txt}]\n", "1:7",
		  "deny: 192.0.2.66/32 stands in a file of these, and in one of allow too" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void lists_are_read(void **state)
{
	struct config *config = parse(FULL);
	const struct access_config *web = &config->services[0].access;

	(void)state;
	assert_prefixes(config->access.allow.prefixes, config->access.allow.n,
			"0.0.0.0/0 2001:db8::/32");
	assert_prefixes(config->access.deny.prefixes, config->access.deny.n,
			"192.0.2.66/32 203.0.113.0/24 2001:db8:bad::/48");
	assert_int_equal(config->access.deny.n_written, 0);
	assert_int_equal(config->access.deny.n_files, 1);
	assert_string_equal(config->access.deny.files[0], "examples/deny.txt");

	assert_prefixes(web->allow.prefixes, web->allow.n, "10.0.0.0/8 192.0.2.7/32 ::/0");
	assert_prefixes(web->allow.written, web->allow.n_written, "10.0.0.0/8 ::/0 192.0.2.7/32");
	assert_int_equal(web->allow.n_files, 0);
	assert_prefixes(web->deny.prefixes, web->deny.n,
			"10.0.0.0/9 192.0.2.66/32 203.0.113.0/24 2001:db8:bad::/48");
	assert_prefixes(web->deny.written, web->deny.n_written, "10.0.0.0/9 10.0.0.0/9");
	assert_prefixes(config->services[1].access.deny.prefixes, 1, "::1/128");
	config_free(config);
}

static void what_can_be_configured(void **state)
{
	static const char *const rows[] = {
		"deny: []\n",
		"deny:\n",
		"allow: [0.0.0.0/0]\n",
		"allow: [10.0.0.0/8]\ndeny: [10.0.0.0/9, 10.0.0.0/7, 0.0.0.0/0]\n",
		"deny: ['::ffff:0:0/96']\n",
		/* each list for itself */
		"allow: [10.0.0.0/8]\n" WEB "  deny: [10.0.0.0/8]\n" BACKENDS,
		WEB "  limit: {rate: 1/s, exempt: [10.0.0.0/8]}\n  deny: [10.0.0.0/8]\n" BACKENDS,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		config_free(parse(rows[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lists),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(what_can_be_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
