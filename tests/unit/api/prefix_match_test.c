/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a prefix list says of an address, against a second way of finding it: bit
 * by bit, and through the whole list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/api/view/prefix_match.c"
#include "lib/base/array.h"
#include "unit/base/random.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static void test_a_prefix_covers(void **state)
{
	static const struct {
		const char *prefix, *address;
		bool covers;
	} rows[] = {
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::", false }, /* of another family */
		{ "::/0", "0.0.0.0", false },
		{ "::/0", "::ffff:192.0.2.1", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.7/32", "192.0.2.7", true },
		{ "192.0.2.7/32", "192.0.2.6", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "2001:db8::1/128", "2001:db8::", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix prefix = prefix_of(rows[i].prefix);
		struct ip ip = ip_of(rows[i].address);

		assert_int_equal(view_covers(&prefix, &ip), rows[i].covers);
	}
}

static void test_an_address_is_cut(void **state)
{
	static const struct {
		const char *address;
		unsigned bits;
		const char *prefix;
	} rows[] = {
		{ "192.0.2.7", 24, "192.0.2.0/24" },
		{ "192.0.2.255", 31, "192.0.2.254/31" },
		{ "192.0.2.7", 0, "0.0.0.0/0" },
		{ "192.0.2.7", 32, "192.0.2.7/32" },
		{ "2001:db8::ff", 121, "2001:db8::80/121" },
		{ "2001:db8::ff", 0, "::/0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip ip = ip_of(rows[i].address);
		struct prefix prefix = cut(&ip, rows[i].bits);
		char text[PREFIX_TEXT_SIZE];

		assert_string_equal(prefix_format(&prefix, text), rows[i].prefix);
	}
}

/* ---- random lists, and the oracle --------------------------------------- */

#define LIST 40
#define SEED 0x1157ULL

static bool bit(const struct ip *ip, unsigned i)
{
	if (ip->family == SL_FAMILY_IPV4)
		i += 96;
	return ip->addr.bytes[i / 8] >> (7 - i % 8) & 1;
}

static bool covers_by_bits(const struct prefix *prefix, const struct ip *ip)
{
	if (prefix->ip.family != ip->family)
		return false;
	for (unsigned i = 0; i < prefix->bits; i++)
		if (bit(&prefix->ip, i) != bit(ip, i))
			return false;
	return true;
}

/* Few values, so that prefixes lie within one another. */
static struct ip random_ip(uint64_t *random)
{
	struct ip ip = ip_of(random_below(random, 2) ? "10.0.0.0" : "2001:db8::");

	ip.addr.bytes[12] = (__u8)(ip.addr.bytes[12] | random_below(random, 4));
	ip.addr.bytes[13] = (__u8)(random_below(random, 4) << 6);
	ip.addr.bytes[15] = (__u8)random_below(random, 4);
	return ip;
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static void test_the_longest_is_found(void **state)
{
	uint64_t random = SEED;
	size_t found = 0, missed = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct prefix prefixes[LIST];
		struct prefix_list list = { .prefixes = prefixes };

		for (size_t n = random_below(&random, LIST + 1); list.n < n; list.n++) {
			struct ip ip = random_ip(&random);
			unsigned most = ip.family == SL_FAMILY_IPV4 ? 32 : 128;

			prefixes[list.n] = cut(&ip, most - random_below(&random, 30));
		}
		qsort(prefixes, list.n, sizeof(*prefixes), compare_prefixes);
		for (int i = 0; i < 20; i++) {
			struct ip ip = random_ip(&random);
			const struct prefix *longest = NULL;
			const struct prefix *told = view_longest(&list, &ip);

			for (size_t k = 0; k < list.n; k++)
				if (covers_by_bits(&prefixes[k], &ip) &&
				    (!longest || prefixes[k].bits > longest->bits))
					longest = &prefixes[k];
			assert_int_equal(!told, !longest);
			if (told)
				assert_int_equal(prefix_compare(told, longest), 0);
			*(told ? &found : &missed) += 1;
		}
	}
	assert_true(found > 500 && missed > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_prefix_covers),
		cmocka_unit_test(test_an_address_is_cut),
		cmocka_unit_test(test_the_longest_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
