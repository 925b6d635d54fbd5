// SPDX-License-Identifier: BSD-2-Clause
/* responder/visitors: nobody stays long, nobody has many, and there is always room. */
#include "responder/visitors.c"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define NO_FD (-1) /* where shutdown() may fail */

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

/* 10.x.y.z */
static struct ip numbered(unsigned number)
{
	struct ip ip = ip_of("10.0.0.0");

	ip.addr.bytes[13] = (__u8)(number >> 16);
	ip.addr.bytes[14] = (__u8)(number >> 8);
	ip.addr.bytes[15] = (__u8)number;
	return ip;
}

static void test_a_source_has_so_many(void **state)
{
	struct visitors *visitors = visitors_new();
	struct ip one = ip_of("192.0.2.1"), other = ip_of("192.0.2.2");
	struct visitor *first = visitors_add(visitors, &one, NO_FD, 0);

	(void)state;
	for (int i = 1; i < VISITORS_PER_SOURCE; i++) {
		assert_true(visitors_admit(visitors, &one));
		assert_non_null(visitors_add(visitors, &one, NO_FD, 0));
	}
	assert_false(visitors_admit(visitors, &one));
	assert_true(visitors_admit(visitors, &other));
	visitors_remove(visitors, first);
	assert_true(visitors_admit(visitors, &one));
	visitors_free(visitors);
}

static void test_a_network_of_ipv6_is_one_source(void **state)
{
	struct visitors *visitors = visitors_new();
	struct ip same = ip_of("2001:db8::ffff"), other = ip_of("2001:db8:0:1::1");

	(void)state;
	for (unsigned i = 0; i < VISITORS_PER_SOURCE; i++) {
		struct ip ip = ip_of("2001:db8::");

		ip.addr.bytes[15] = (__u8)i;
		assert_non_null(visitors_add(visitors, &ip, NO_FD, 0));
	}
	assert_false(visitors_admit(visitors, &same));
	assert_true(visitors_admit(visitors, &other));
	visitors_free(visitors);
}

static void test_time_is_up(void **state)
{
	struct visitors *visitors = visitors_new();
	struct ip one = ip_of("192.0.2.1");
	struct visitor *early, *late;
	int fds[2];
	char byte;

	(void)state;
	assert_int_equal(visitors_expire(visitors, 0), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	early = visitors_add(visitors, &one, fds[0], 1000);
	late = visitors_add(visitors, &one, NO_FD, 1400);
	assert_int_equal(visitors_expire(visitors, 1000), VISITOR_MS);
	assert_int_equal(visitors_expire(visitors, 1000 + VISITOR_MS - 1), 1);
	assert_int_equal(read(fds[1], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(visitors_expire(visitors, 1000 + VISITOR_MS), 400);
	assert_int_equal(read(fds[1], &byte, 1), 0);
	/* It is still there until it is closed. */
	assert_int_equal(visitors_count(visitors), 2);
	visitors_remove(visitors, early);
	visitors_remove(visitors, late);
	visitors_remove(visitors, NULL);
	assert_int_equal(visitors_count(visitors), 0);
	assert_int_equal(visitors_expire(visitors, 1 << 20), -1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	visitors_free(visitors);
}

static void test_the_oldest_make_room(void **state)
{
	static struct visitor *added[VISITORS_MAX];
	struct visitors *visitors = visitors_new();

	(void)state;
	for (unsigned i = 0; i < VISITORS_MAX; i++) {
		struct ip ip = numbered(i);

		added[i] = visitors_add(visitors, &ip, NO_FD, i);
		assert_non_null(added[i]);
	}
	assert_null(visitors_add(visitors, &(struct ip){ .family = SL_FAMILY_IPV4 }, NO_FD, 0));
	(void)visitors_expire(visitors, VISITORS_MAX);
	assert_int_equal(visitors->n_open, VISITORS_CROWDED);
	for (unsigned i = 0; i < VISITORS_MAX; i++)
		assert_int_equal(added[i]->shut, i < VISITORS_MAX - VISITORS_CROWDED);
	for (unsigned i = 0; i < VISITORS_MAX; i++)
		visitors_remove(visitors, added[i]);
	assert_int_equal(visitors_count(visitors), 0);
	visitors_free(visitors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_source_has_so_many),
		cmocka_unit_test(test_a_network_of_ipv6_is_one_source),
		cmocka_unit_test(test_time_is_up),
		cmocka_unit_test(test_the_oldest_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
