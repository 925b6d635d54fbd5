// SPDX-License-Identifier: BSD-2-Clause
/* Prefixes that are denied at run time become those of the configuration. */
#include "lib/base/array.h"
#include "lib/config/deny.h"
#include "lib/config/write.h"
#include "unit/config/full.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static void prefixes_are_added_once(void **state)
{
	const struct prefix prefixes[] = { prefix_of("10.0.0.0/8"), prefix_of("203.0.113.9"),
					   prefix_of("2001:db8::/32") };
	struct config *from = parse("deny: [203.0.113.9, 192.0.2.0/24]\n"), *config, *again;
	char *text;

	(void)state;
	assert_int_equal(config_deny(from, prefixes, ARRAY_SIZE(prefixes), &config), 0);
	assert_int_equal(from->access.deny.n, 2);
	assert_int_equal(config->access.deny.n, 4);
	assert_int_equal(config_write(config, &text), 0);
	assert_string_equal(text,
			    "deny: [203.0.113.9, 192.0.2.0/24, 10.0.0.0/8, '2001:db8::/32']\n");
	again = parse(text);
	assert_int_equal(again->access.deny.n, 4);
	free(text);
	config_free(again);
	config_free(config);
	config_free(from);
}

static void a_configuration_has_no_room_for_too_many(void **state)
{
	struct prefix *prefixes = calloc(CONFIG_PREFIXES_MAX, sizeof(*prefixes));
	struct config *from = parse("services: [{name: web, address: 198.51.100.10, port: 80, "
				    "allow: [192.0.2.0/24], backends: [{address: 10.0.0.1}]}]"),
		      *config = NULL;

	(void)state;
	assert_non_null(prefixes);
	assert_int_equal(config_deny(from, prefixes, CONFIG_PREFIXES_MAX, &config), -E2BIG);
	assert_null(config);
	free(prefixes);
	config_free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_added_once),
		cmocka_unit_test(a_configuration_has_no_room_for_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
