// SPDX-License-Identifier: BSD-2-Clause
/* The keys of ipip: what is in them, their defaults, and every error. */
#include "lib/base/array.h"
#include "unit/config/full.h"
#include "unit/config/rows.h"

static void assert_sources(const struct config *config, const char *v4, const char *v6)
{
	char text[PREFIX_TEXT_SIZE];

	assert_string_equal(prefix_format(&config->ipip.source_v4, text), v4);
	assert_string_equal(prefix_format(&config->ipip.source_v6, text), v6);
}

static void good_ones(void **state)
{
	static const struct {
		const char *yaml, *v4, *v6;
	} rows[] = {
		{ "{}", "172.16.0.0/16", "100::/64" },
		{ "ipip:\n", "172.16.0.0/16", "100::/64" },
		{ "ipip: {source_v4: 10.0.0.0/8}\n", "10.0.0.0/8", "100::/64" },
		{ "ipip: {source_v6: '2001::/16'}\n", "172.16.0.0/16", "2001::/16" },
		{ "ipip: {source_v4: 192.0.2.1, source_v6: '2001:db8::1'}\n", "192.0.2.1/32",
		  "2001:db8::1/128" },
		{ FULL, "10.99.0.0/17", "2001:db8:99::/48" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config = parse(rows[i].yaml);

		assert_sources(config, rows[i].v4, rows[i].v6);
		config_free(config);
	}
}

static void bad_ones(void **state)
{
	static const struct row rows[] = {
		{ "a word", "ipip: on\n", "1:7", "\"on\" is not ipip; write a map" },
		{ "unknown", "ipip: {sources_v4: 10.0.0.0/8}\n", "1:8", "did you mean source_v4?" },
		{ "v4: a list", "ipip: {source_v4: []}\n", "1:19",
		  "a list is not a prefix of IPv4 sources" },
		{ "v4: text", "ipip: {source_v4: here}\n", "1:19",
		  "ipip.source_v4: \"here\" is not a prefix of IPv4 sources; of 8 to 32 bits, like "
		  "172.16.0.0/16" },
		{ "v4: wide", "ipip: {source_v4: 10.0.0.0/7}\n", "1:19", "of 8 to 32 bits" },
		{ "v4: all", "ipip: {source_v4: 0.0.0.0/0}\n", "1:19", "of 8 to 32 bits" },
		{ "v4: long", "ipip: {source_v4: 10.0.0.0/33}\n", "1:19", "at most 32 bits" },
		{ "v4: bits behind", "ipip: {source_v4: 10.0.0.1/24}\n", "1:19",
		  "did you mean 10.0.0.0/24?" },
		{ "v4: v6", "ipip: {source_v4: '100::/64'}\n", "1:19",
		  "is not a prefix of IPv4 sources" },
		{ "v4: nobody", "ipip: {source_v4: 0.0.0.0/8}\n", "1:19",
		  "is an unspecified, multicast or broadcast address; no packet comes from there" },
		{ "v4: loopback", "ipip: {source_v4: 127.0.0.0/8}\n", "1:19",
		  "\"127.0.0.0/8\" is a loopback address; no packet comes from there" },
		{ "v4: multicast", "ipip: {source_v4: 224.0.0.0/16}\n", "1:19", "multicast" },
		{ "v6: v4", "ipip: {source_v6: 10.0.0.0/16}\n", "1:19",
		  "ipip.source_v6: \"10.0.0.0/16\" is not a prefix of IPv6 sources; of 16 to 128 "
		  "bits, like 100::/64" },
		{ "v6: wide", "ipip: {source_v6: '2000::/3'}\n", "1:19", "of 16 to 128 bits" },
		{ "v6: link-local", "ipip: {source_v6: 'fe80::/64'}\n", "1:19", "link-local" },
		{ "v6: multicast", "ipip: {source_v6: 'ff00::/16'}\n", "1:19", "multicast" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
