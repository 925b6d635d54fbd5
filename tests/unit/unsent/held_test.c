// SPDX-License-Identifier: BSD-2-Clause
/* Packets that wait: how many, how long, and that each is what was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "daemon/unsent/held.c"

static struct held_queue queue;

static int set_up(void **state)
{
	(void)state;
	held_init(&queue);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	held_done(&queue);
	assert_int_equal(queue.n, 0);
	return 0;
}

/* Whether there was room for a packet to this host, which waits until then. */
static bool hold(unsigned host, unsigned long long until_ms)
{
	char packet[32];
	struct held about = {
		.next = { .ifindex = 7, .ip.family = SL_FAMILY_IPV4 },
		.until_ms = until_ms,
	};

	about.next.ip.addr.words[3] = host;
	about.length = (size_t)snprintf(packet, sizeof(packet), "to %u until %llu", host, until_ms);
	return held_add(&queue, &about, packet);
}

static void a_next_hop_has_its_share(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HELD_PER_HOP_MAX; i++)
		assert_true(hold(1, 1));
	assert_false(hold(1, 1));
	assert_true(hold(2, 1));
	held_drop(&queue, TAILQ_FIRST(&queue.all));
	assert_true(hold(1, 1));
	assert_false(hold(1, 1));
}

static void all_next_hops_have_a_share_together(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HELD_MAX; i++)
		assert_true(hold(i, 1));
	assert_false(hold(HELD_MAX, 1));
	assert_int_equal(held_expire(&queue, 1), HELD_MAX);
	assert_true(hold(HELD_MAX, 1));
}

static void a_packet_waits_for_its_time(void **state)
{
	const char *text = "to 2 until 20";

	(void)state;
	assert_true(hold(1, 10) && hold(2, 20) && hold(3, 30));
	assert_int_equal(held_expire(&queue, 9), 0);
	assert_int_equal(held_expire(&queue, 10), 1);
	assert_int_equal(TAILQ_FIRST(&queue.all)->length, strlen(text));
	assert_memory_equal(TAILQ_FIRST(&queue.all)->packet, text, strlen(text));
	assert_int_equal(held_expire(&queue, 100), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_next_hop_has_its_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_next_hops_have_a_share_together, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_packet_waits_for_its_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
