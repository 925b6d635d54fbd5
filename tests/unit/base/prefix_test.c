// SPDX-License-Identifier: BSD-2-Clause
/* Prefixes as text: what is taken, what is refused with which words, and that
 * cutting agrees with a mask made another way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/base/prefix.h"
#include "unit/base/random.h"

static void good_ones(void **state)
{
	static const struct {
		const char *text, *shown;
		unsigned bits;
		__u8 family;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0/24", 24, SL_FAMILY_IPV4 },
		{ "192.0.2.7", "192.0.2.7/32", 32, SL_FAMILY_IPV4 },
		{ "192.0.2.7/32", "192.0.2.7/32", 32, SL_FAMILY_IPV4 },
		{ "192.0.2.6/31", "192.0.2.6/31", 31, SL_FAMILY_IPV4 },
		{ "0.0.0.0/0", "0.0.0.0/0", 0, SL_FAMILY_IPV4 },
		{ "0.0.0.0", "0.0.0.0/32", 32, SL_FAMILY_IPV4 },
		{ "128.0.0.0/1", "128.0.0.0/1", 1, SL_FAMILY_IPV4 },
		{ "::/0", "::/0", 0, SL_FAMILY_IPV6 },
		{ "::", "::/128", 128, SL_FAMILY_IPV6 },
		{ "2001:DB8::/32", "2001:db8::/32", 32, SL_FAMILY_IPV6 },
		{ "2001:db8::1", "2001:db8::1/128", 128, SL_FAMILY_IPV6 },
		{ "2001:db8::8000/113", "2001:db8::8000/113", 113, SL_FAMILY_IPV6 },
		{ "::ffff:0:0/96", "::ffff:0.0.0.0/96", 96, SL_FAMILY_IPV6 },
		{ "::ffff:0.0.0.0/96", "::ffff:0.0.0.0/96", 96, SL_FAMILY_IPV6 },
	};
	char text[PREFIX_TEXT_SIZE], fault[PREFIX_FAULT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix prefix, again;

		if (prefix_parse(rows[i].text, &prefix) != 0)
			fail_msg("\"%s\" is refused", rows[i].text);
		assert_string_equal(prefix_format(&prefix, text), rows[i].shown);
		assert_int_equal(prefix.bits, rows[i].bits);
		assert_int_equal(prefix.ip.family, rows[i].family);
		assert_int_equal(prefix_is_address(&prefix),
				 !strchr(rows[i].text, '/') ||
					 strstr(rows[i].text, "/32") == rows[i].text + 9);
		assert_null(prefix_fault(rows[i].text, fault));
		assert_int_equal(prefix_parse(text, &again), 0);
		assert_int_equal(prefix_compare(&prefix, &again), 0);
	}
}

static void bad_ones(void **state)
{
	static const struct {
		const char *text, *fault; /* NULL: not like a prefix at all */
	} rows[] = {
		{ "192.0.2.7/24",
		  "\"192.0.2.7/24\" has bits behind the prefix; did you mean 192.0.2.0/24?" },
		{ "255.255.255.255/0",
		  "\"255.255.255.255/0\" has bits behind the prefix; did you mean 0.0.0.0/0?" },
		{ "2001:db8::1/127",
		  "\"2001:db8::1/127\" has bits behind the prefix; did you mean 2001:db8::/127?" },
		{ "10.0.0.0/33",
		  "\"10.0.0.0/33\" is too long; a prefix of IPv4 has at most 32 bits" },
		{ "::/129", "\"::/129\" is too long; a prefix of IPv6 has at most 128 bits" },
		{ "::/999", "\"::/999\" is too long; a prefix of IPv6 has at most 128 bits" },
		{ "::ffff:10.0.0.0/104",
		  "\"::ffff:10.0.0.0/104\" is IPv4 in the form of IPv6; did you mean 10.0.0.0/8?" },
		{ "::ffff:10.1.2.3/104",
		  "\"::ffff:10.1.2.3/104\" is IPv4 in the form of IPv6; did you mean 10.0.0.0/8?" },
		{ "::ffff:10.0.0.1",
		  "\"::ffff:10.0.0.1\" is IPv4 in the form of IPv6; did you mean 10.0.0.1?" },
		{ "::ffff:10.0.0.1/96",
		  "\"::ffff:10.0.0.1/96\" has bits behind the prefix; did you mean ::ffff:0.0.0.0/96?" },
		{ "", NULL },
		{ "/", NULL },
		{ "/8", NULL },
		{ "10.0.0.0/", NULL },
		{ "10.0.0.0/8/8", NULL },
		{ "10.0.0.0/08", NULL },
		{ "10.0.0.0/+8", NULL },
		{ "10.0.0.0/-1", NULL },
		{ "10.0.0.0/1000", NULL },
		{ "10.0.0.0/99999999999999999999", NULL },
		{ "10.0.0.0/255.0.0.0", NULL },
		{ "10.0.0.0 /8", NULL },
		{ " 10.0.0.0/8", NULL },
		{ "10.0.0.0/8 ", NULL },
		{ "10/8", NULL },
		{ "10.0.0/24", NULL },
		{ "010.0.0.0/8", NULL },
		{ "256.0.0.0/8", NULL },
		{ "2001:db8::/32%eth0", NULL },
		{ "fe80::1%eth0", NULL },
		{ "[::]/0", NULL },
		{ "host", NULL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/0", NULL },
	};
	char fault[PREFIX_FAULT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix prefix = { .bits = 77 };
		const char *said;

		if (prefix_parse(rows[i].text, &prefix) == 0 || prefix.bits != 77)
			fail_msg("\"%s\" is taken, or written to", rows[i].text);
		said = prefix_fault(rows[i].text, fault);
		if (!rows[i].fault)
			assert_null(said);
		else
			assert_string_equal(said, rows[i].fault);
	}
}

/* The longest texts of all fit. */
static void the_longest(void **state)
{
	static const char longest[] = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/127";
	char fault[PREFIX_FAULT_SIZE], text[PREFIX_TEXT_SIZE];
	struct prefix prefix;

	(void)state;
	assert_non_null(prefix_fault(longest, fault));
	assert_int_equal(fault[strlen(fault) - 1], '?');
	assert_int_equal(prefix_parse("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", &prefix),
			 0);
	assert_string_equal(prefix_format(&prefix, text),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

/* Bit by bit, against 128-bit arithmetic: a prefix is taken if and only if nothing
 * is behind it, and what is suggested instead is what is in front.
 */
static void every_length_is_cut_right(void **state)
{
	uint64_t random = 0x9ef1;
	unsigned round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		unsigned length = random_below(&random, 129), zeros = random_below(&random, 129), i;
		unsigned __int128 value =
			(unsigned __int128)random_next(&random) << 64 | random_next(&random);
		unsigned __int128 keep = length ? ~(unsigned __int128)0 << (128 - length) : 0;
		char address[ADDR_TEXT_SIZE], text[PREFIX_TEXT_SIZE], fault[PREFIX_FAULT_SIZE];
		char wanted[PREFIX_TEXT_SIZE + 16];
		struct prefix prefix = { .ip.family = SL_FAMILY_IPV6, .bits = length };
		struct prefix parsed;

		if (zeros)
			value = zeros < 128 ? value >> zeros << zeros : 0;
		for (i = 0; i < 16; i++)
			prefix.ip.addr.bytes[i] = (__u8)(value >> (120 - 8 * i));
		(void)snprintf(text, sizeof(text), "%s/%u", ip_format(&prefix.ip, address), length);
		if ((value & ~keep) == 0) {
			assert_int_equal(prefix_parse(text, &parsed), 0);
			assert_int_equal(prefix_compare(&prefix, &parsed), 0);
			continue;
		}
		assert_int_not_equal(prefix_parse(text, &parsed), 0);
		for (i = 0; i < 16; i++)
			prefix.ip.addr.bytes[i] = (__u8)((value & keep) >> (120 - 8 * i));
		(void)snprintf(wanted, sizeof(wanted), "did you mean %s?",
			       prefix_format(&prefix, text));
		(void)snprintf(text, sizeof(text), "%s/%u", address, length);
		assert_non_null(strstr(prefix_fault(text, fault), wanted));
	}
}

static void the_order(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0/0", "0.0.0.0/1",     "0.0.0.0/32",    "9.0.0.0/8", "10.0.0.0/8",
		"10.0.0.0",  "10.0.0.1",      "192.0.2.0/24",  "::/0",      "::/128",
		"::1",       "2001:db8::/32", "2001:db8::/33", "ff00::/8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sorted); j++) {
			struct prefix a, b;
			int order;

			assert_int_equal(prefix_parse(sorted[i], &a), 0);
			assert_int_equal(prefix_parse(sorted[j], &b), 0);
			order = prefix_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),   cmocka_unit_test(bad_ones),
		cmocka_unit_test(the_longest), cmocka_unit_test(every_length_is_cut_right),
		cmocka_unit_test(the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
