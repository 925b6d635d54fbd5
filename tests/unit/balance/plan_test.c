// SPDX-License-Identifier: BSD-2-Clause
/* Who gets slots, and that nothing but the arguments decides it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/balance/plan.h"

#define BACKENDS   4
#define MAGLEV_SUM 0x4f5873f7aeb9b33fULL /* as of the first tables */

static struct backend_config backends[BACKENDS];
static struct plan_input inputs[BACKENDS];
static struct service_config service;

static struct ip ip(const char *text)
{
	struct ip parsed;

	assert_int_equal(ip_parse(text, &parsed), 0);
	return parsed;
}

/* Two IPv4 backends and two IPv6 ones, all fit to serve. */
static int setup(void **state)
{
	static const char *const addresses[BACKENDS] = { "10.0.0.1", "10.0.0.2", "fd00::1",
							 "fd00::2" };

	(void)state;
	service = (struct service_config){ .name = "web",
					   .n_addresses = 2,
					   .port = htons(80),
					   .proto = IPPROTO_TCP,
					   .forward = SL_FORWARD_NAT,
					   .table_size = 1021,
					   .backends = backends,
					   .n_backends = BACKENDS };
	service.addresses[0] = ip("198.51.100.1");
	service.addresses[1] = ip("2001:db8::1");
	for (size_t i = 0; i < BACKENDS; i++) {
		backends[i] = (struct backend_config){ .ip = ip(addresses[i]),
						       .port = htons(8080),
						       .weight = 1 };
		inputs[i] =
			(struct plan_input){ .health = PLAN_UP, .resolved = true, .weight = 10 };
		inputs[i].hop.ifindex = (unsigned)i + 1;
	}
	return 0;
}

/* Plans for the IPv4 address; slots of each planned backend, and of nobody. */
static unsigned plan_and_count(struct plan *plan, unsigned counts[static BACKENDS])
{
	unsigned nobody = 0;

	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, NULL, plan), 0);
	memset(counts, 0, BACKENDS * sizeof(*counts));
	for (unsigned i = 0; i < plan->table_size; i++) {
		if (plan->table[i] == PLAN_NO_BACKEND) {
			nobody++;
			continue;
		}
		assert_true(plan->table[i] < plan->n_backends);
		counts[plan->table[i]]++;
	}
	return nobody;
}

static void test_only_the_address_family(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(plan.n_backends, 2);
	assert_int_equal(plan.n_members, 2);
	assert_int_equal(counts[0] + counts[1], 1021);
	assert_in_range(counts[0], 505, 516);
	assert_int_equal(plan.backends[0].key.family, SL_FAMILY_IPV4);
	assert_int_equal(plan.backends[1].hop.ifindex, 2);
	assert_int_equal(plan.key.port, htons(80));
	assert_int_equal(plan.backends[0].key.port, htons(8080));
	plan_done(&plan);
}

static void test_who_gets_nothing(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	for (unsigned fault = 0; fault < 6; fault++) {
		setup(NULL);
		inputs[0].health = fault == 0 ? PLAN_DEAD : fault == 1 ? PLAN_NOT_READY : PLAN_UP;
		inputs[0].resolved = fault != 2;
		inputs[0].weight = fault == 3 ? 0 : 10;
		inputs[0].admin_state = fault == 4   ? ADMIN_DRAIN
					: fault == 5 ? ADMIN_DISABLED
						     : ADMIN_UP;
		assert_int_equal(plan_and_count(&plan, counts), 0);
		/* It stays known: its connections' answers must find back. */
		assert_int_equal(plan.n_backends, 2);
		assert_int_equal(plan.n_members, 1);
		assert_int_equal(counts[0], 0);
		assert_int_equal(counts[1], 1021);
		/* Established connections go on where somebody is there to go on with,
		 * and the operator lets them.
		 */
		assert_int_equal(plan.backends[0].serves, fault >= 1 && fault <= 4);
		assert_false(plan.backends[0].member);
		plan_done(&plan);
	}
}

static void test_nobody_serves(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	inputs[0].health = inputs[1].health = PLAN_DEAD;
	assert_int_equal(plan_and_count(&plan, counts), 1021);
	assert_int_equal(plan.n_members, 0);
	plan_done(&plan);
}

/* Another order in the file, another history: the same slots go to the same
 * places.
 */
static void test_order_of_the_file_does_not_matter(void **state)
{
	struct backend_config swapped = backends[0];
	struct plan first, second;

	(void)state;
	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, NULL, &first), 0);
	backends[0] = backends[1];
	backends[1] = swapped;
	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, NULL, &second), 0);
	for (unsigned i = 0; i < first.table_size; i++)
		assert_memory_equal(&first.backends[first.table[i]].key,
				    &second.backends[second.table[i]].key, sizeof(struct sl_key));
	plan_done(&first);
	plan_done(&second);
}

/* The address of each slot of a service on this port, with its backends in this order. */
static void plan_addresses(enum sl_scheduler scheduler, unsigned port, bool reversed,
			   struct sl_addr ret_addresses[static 1021])
{
	struct backend_config swapped;
	struct plan plan;

	setup(NULL);
	service.scheduler = scheduler;
	service.port = htons((__u16)port);
	for (size_t i = 0; i < BACKENDS; i++) {
		/* 10.0.0.1 listens on two ports. */
		backends[i].ip = ip(i == 0   ? "10.0.0.1"
				    : i == 1 ? "10.0.0.2"
				    : i == 2 ? "10.0.0.3"
					     : "10.0.0.1");
		backends[i].port = htons((__u16)(port + i));
		inputs[i].weight = (unsigned)i % 3 + 1;
	}
	inputs[3].weight = inputs[0].weight;
	if (reversed) {
		swapped = backends[0];
		backends[0] = backends[3];
		backends[3] = swapped;
	}
	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, NULL, &plan), 0);
	assert_int_equal(plan.table_size, 1021);
	for (unsigned i = 0; i < plan.table_size; i++)
		ret_addresses[i] = plan.backends[plan.table[i]].key.addr;
	plan_done(&plan);
}

/* source-hash: a client's connections to port 80 and to port 443 have one server. The tables of
 * other schedulers are as they were.
 */
static void test_source_hash_goes_by_the_servers_address(void **state)
{
	static struct sl_addr http[1021], https[1021];

	(void)state;
	plan_addresses(SL_SCHEDULER_SOURCE_HASH, 80, false, http);
	plan_addresses(SL_SCHEDULER_SOURCE_HASH, 443, false, https);
	assert_memory_equal(http, https, sizeof(http));
	plan_addresses(SL_SCHEDULER_SOURCE_HASH, 443, true, https);
	assert_memory_equal(http, https, sizeof(http));
	plan_addresses(SL_SCHEDULER_MAGLEV, 80, false, http);
	plan_addresses(SL_SCHEDULER_MAGLEV, 443, false, https);
	assert_memory_not_equal(http, https, sizeof(http));
}

/* Tables of maglev are for ever: machines of two versions agree. */
static void test_other_tables_stay(void **state)
{
	static const enum sl_scheduler schedulers[] = { SL_SCHEDULER_MAGLEV, SL_SCHEDULER_RANDOM };
	unsigned counts[BACKENDS];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint64_t sum = 0;
		struct plan plan;

		service.scheduler = schedulers[i];
		(void)plan_and_count(&plan, counts);
		for (unsigned k = 0; k < plan.table_size; k++)
			sum = sum * 31 + plan.table[k];
		plan_done(&plan);
		if (sum != MAGLEV_SUM)
			fail_msg("%#llx", (unsigned long long)sum);
	}
}

static void test_backups_wait(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	backends[1].backup = true;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(counts[0], 1021);
	assert_false(plan.backends[1].member);
	assert_true(plan.backends[1].serves);
	plan_done(&plan);

	inputs[0].health = PLAN_DEAD;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(counts[1], 1021);
	plan_done(&plan);
}

/* With fewer healthy ones than asked for, health is ignored; admin states are not. */
static void test_panic(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	inputs[0].health = PLAN_DEAD;
	service.min_healthy = 2;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_true(plan.panic);
	assert_in_range(counts[0], 505, 516);
	assert_true(plan.backends[0].serves);
	plan_done(&plan);

	service.min_healthy = 51;
	service.min_healthy_percent = true;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_true(plan.panic);
	plan_done(&plan);

	service.min_healthy = 50;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_false(plan.panic);
	assert_int_equal(counts[0], 0);
	plan_done(&plan);

	service.min_healthy = 100;
	inputs[0].admin_state = ADMIN_DISABLED;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(counts[0], 0);
	plan_done(&plan);
}

static void test_last_known(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	service.on_all_down = ON_ALL_DOWN_LAST_KNOWN;
	inputs[0].health = inputs[1].health = PLAN_DEAD;
	inputs[1].served_last = true;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(counts[1], 1021);
	assert_true(plan.backends[1].serves);
	plan_done(&plan);
}

static void test_on_all_down_reject_is_said_to_the_program(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	service.on_all_down = ON_ALL_DOWN_REJECT;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(plan.flags, SL_SERVICE_REJECT);
	plan_done(&plan);
}

/* One cycle: as many turns as weights, whatever the weights' common divisor. */
static void test_round_robin_turns(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	service.scheduler = SL_SCHEDULER_ROUND_ROBIN;
	inputs[0].weight = 30;
	inputs[1].weight = 50;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(plan.table_size, 8);
	assert_int_equal(counts[0], 3);
	assert_int_equal(counts[1], 5);
	assert_int_equal(plan.flags, SL_SERVICE_TRACKED);
	/* Spread out: never more than two turns in a row. */
	for (unsigned i = 0; i + 2 < plan.table_size; i++)
		assert_false(plan.table[i] == plan.table[i + 1] &&
			     plan.table[i] == plan.table[i + 2]);
	plan_done(&plan);

	inputs[0].health = inputs[1].health = PLAN_DEAD;
	assert_int_equal(plan_and_count(&plan, counts), 1);
	assert_int_equal(plan.table_size, 1);
	plan_done(&plan);
}

static void test_least_connections_lists_each_once(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	service.scheduler = SL_SCHEDULER_LEAST_CONNECTIONS;
	inputs[0].weight = 30;
	assert_int_equal(plan_and_count(&plan, counts), 0);
	assert_int_equal(plan.table_size, 2);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 1);
	assert_int_equal(plan.backends[0].weight, 30);
	plan_done(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_the_address_family, setup),
		cmocka_unit_test_setup(test_who_gets_nothing, setup),
		cmocka_unit_test_setup(test_nobody_serves, setup),
		cmocka_unit_test_setup(test_backups_wait, setup),
		cmocka_unit_test_setup(test_panic, setup),
		cmocka_unit_test_setup(test_last_known, setup),
		cmocka_unit_test_setup(test_on_all_down_reject_is_said_to_the_program, setup),
		cmocka_unit_test_setup(test_round_robin_turns, setup),
		cmocka_unit_test_setup(test_least_connections_lists_each_once, setup),
		cmocka_unit_test_setup(test_order_of_the_file_does_not_matter, setup),
		cmocka_unit_test_setup(test_source_hash_goes_by_the_servers_address, setup),
		cmocka_unit_test_setup(test_other_tables_stay, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
