// SPDX-License-Identifier: BSD-2-Clause
/* Addresses: text in, bytes, text out again. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/addr.h"
#include "lib/base/array.h"

static struct ip ip_of(const char *text)
{
	struct ip ip = {};

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static void good_addresses_come_back_as_they_went(void **state)
{
	static const struct {
		const char *text, *shown;
		__u8 family;
	} rows[] = {
		{ "0.0.0.0", "0.0.0.0", SL_FAMILY_IPV4 },
		{ "198.51.100.10", "198.51.100.10", SL_FAMILY_IPV4 },
		{ "255.255.255.255", "255.255.255.255", SL_FAMILY_IPV4 },
		{ "::", "::", SL_FAMILY_IPV6 },
		{ "2001:DB8:0:0:0::1", "2001:db8::1", SL_FAMILY_IPV6 },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1", SL_FAMILY_IPV6 },
		{ "2001:db8:1111:2222:3333:4444:5555:6666",
		  "2001:db8:1111:2222:3333:4444:5555:6666", SL_FAMILY_IPV6 },
		{ "fe80:1111:2222:3333:4444:5555:255.255.255.255",
		  "fe80:1111:2222:3333:4444:5555:ffff:ffff", SL_FAMILY_IPV6 },
	};
	char text[ADDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip ip = ip_of(rows[i].text);

		assert_int_equal(ip.family, rows[i].family);
		assert_string_equal(ip_format(&ip, text), rows[i].shown);
		assert_ptr_equal(ip_format(&ip, text), text);
	}
}

static void an_ipv4_address_lies_mapped(void **state)
{
	static const __u8 bytes[16] = { [10] = 0xff, 0xff, 10, 1, 2, 3 };
	struct ip ip = ip_of("10.1.2.3");

	(void)state;
	assert_memory_equal(ip.addr.bytes, bytes, sizeof(bytes));
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = {
		"",           " 10.0.0.1",     "10.0.0.1 ",   "10.0.0",
		"10.0.0.256", "10.0.0.1/32",   "10.0.0.1:80", "010.0.0.1",
		"0x0a.0.0.1", "10.0.0.1.",     "localhost",   ":",
		":::",        "1::2::3",       "[::1]",       "fe80::1%lo",
		"::g",        "1:2:3:4:5:6:7", "-1.0.0.1",    "1:2:3:4:5:6:7:8:9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip ip = { .family = 77 };

		assert_int_equal(ip_parse(rows[i], &ip), -EINVAL);
		assert_int_equal(ip.family, 77); /* left alone */
	}
}

static void endpoints_have_brackets_where_they_need_them(void **state)
{
	struct ip v4 = ip_of("10.0.0.1");
	struct ip v6 = ip_of("2001:db8::1");
	struct ip longest = ip_of("2001:1db8:1111:2222:3333:4444:5555:6666");
	struct ip none = {};
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	assert_string_equal(endpoint_format(&v4, htons(80), text), "10.0.0.1:80");
	assert_string_equal(endpoint_format(&v6, htons(65535), text), "[2001:db8::1]:65535");
	assert_string_equal(endpoint_format(&longest, htons(65535), text),
			    "[2001:1db8:1111:2222:3333:4444:5555:6666]:65535");
	assert_string_equal(endpoint_format(&none, 0, text), "none:0");
}

static void addresses_have_an_order(void **state)
{
	static const char *const rows[] = {
		"0.0.0.0", "9.255.255.255", "10.0.0.1",        "10.0.0.2",    "192.0.2.1",
		"::",      "::1",           "::ffff:10.0.0.1", "2001:db8::1", "ff02::1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++) {
			struct ip a = ip_of(rows[i]);
			struct ip b = ip_of(rows[j]);

			assert_int_equal(ip_compare(&a, &b) < 0, i < j);
			assert_int_equal(ip_compare(&a, &b) > 0, i > j);
			assert_int_equal(ip_equal(&a, &b), i == j);
		}
	}
}

static void a_mapped_address_is_not_the_ipv4_one(void **state)
{
	struct ip v4 = ip_of("10.0.0.1");
	struct ip mapped = ip_of("::ffff:10.0.0.1");

	(void)state;
	assert_memory_equal(&v4.addr, &mapped.addr, sizeof(v4.addr));
	assert_false(ip_equal(&v4, &mapped));
}

static void unicast_is_told(void **state)
{
	static const struct {
		const char *text;
		bool unicast;
	} rows[] = {
		{ "0.0.0.0", false },
		{ "0.0.0.1", true },
		{ "127.0.0.1", true },
		{ "223.255.255.255", true },
		{ "224.0.0.0", false },
		{ "239.255.255.255", false },
		{ "240.0.0.0", true },
		{ "255.255.255.254", true },
		{ "255.255.255.255", false },
		{ "::", false },
		{ "::1", true },
		{ "fe80::1", true },
		{ "ff02::1", false },
		{ "2001:db8::1", true },
	};
	struct ip none = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip ip = ip_of(rows[i].text);

		assert_int_equal(ip_is_unicast(&ip), rows[i].unicast);
	}
	assert_false(ip_is_unicast(&none));
}

static void sockaddrs_are_filled(void **state)
{
	struct ip v4 = ip_of("10.0.0.1");
	struct ip v6 = ip_of("2001:db8::1");
	struct sockaddr_storage storage;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&storage;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&storage;

	(void)state;
	memset(&storage, 0xa5, sizeof(storage));
	assert_int_equal(ip_to_sockaddr(&v4, htons(80), &storage), sizeof(*in));
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(in->sin_port, htons(80));
	assert_int_equal(in->sin_addr.s_addr, htonl(0x0a000001));

	memset(&storage, 0xa5, sizeof(storage));
	assert_int_equal(ip_to_sockaddr(&v6, htons(443), &storage), sizeof(*in6));
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(in6->sin6_port, htons(443));
	assert_memory_equal(&in6->sin6_addr, v6.addr.bytes, 16);
	assert_int_equal(in6->sin6_scope_id, 0);
	assert_int_equal(in6->sin6_flowinfo, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_addresses_come_back_as_they_went),
		cmocka_unit_test(an_ipv4_address_lies_mapped),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(endpoints_have_brackets_where_they_need_them),
		cmocka_unit_test(addresses_have_an_order),
		cmocka_unit_test(a_mapped_address_is_not_the_ipv4_one),
		cmocka_unit_test(unicast_is_told),
		cmocka_unit_test(sockaddrs_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
