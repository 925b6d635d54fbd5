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

#include "lib/plan.h"

#define BACKENDS 4

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
	service = (struct service_config){ .name = "web", .n_addresses = 2, .port = htons(80),
					   .proto = IPPROTO_TCP, .forward = SL_FORWARD_NAT,
					   .table_size = 1021, .backends = backends,
					   .n_backends = BACKENDS };
	service.addresses[0] = ip("198.51.100.1");
	service.addresses[1] = ip("2001:db8::1");
	for (size_t i = 0; i < BACKENDS; i++) {
		backends[i] = (struct backend_config){ .ip = ip(addresses[i]),
						       .port = htons(8080), .weight = 1 };
		inputs[i] = (struct plan_input){ .up = true, .resolved = true };
		inputs[i].hop.ifindex = (unsigned)i + 1;
	}
	return 0;
}

/* Plans for the IPv4 address; slots of each planned backend, and of nobody. */
static unsigned plan_and_count(struct plan *plan, unsigned counts[static BACKENDS])
{
	unsigned nobody = 0;

	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, plan), 0);
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
	assert_int_equal(plan.n_serving, 2);
	assert_int_equal(counts[0] + counts[1], 1021);
	assert_in_range(counts[0], 505, 516);
	assert_int_equal(plan.backends[0].key.family, SL_FAMILY_IPV4);
	assert_int_equal(plan.backends[1].hop.ifindex, 2);
	assert_int_equal(plan.key.port, htons(80));
	assert_int_equal(plan.backends[0].key.port, htons(8080));
	plan_done(&plan);
}

static void test_down_unresolved_or_weightless_gets_nothing(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	for (unsigned fault = 0; fault < 3; fault++) {
		setup(NULL);
		inputs[0].up = fault != 0;
		inputs[0].resolved = fault != 1;
		backends[0].weight = fault != 2;
		assert_int_equal(plan_and_count(&plan, counts), 0);
		/* It stays known: its connections' answers must find back. */
		assert_int_equal(plan.n_backends, 2);
		assert_int_equal(plan.n_serving, 1);
		assert_int_equal(counts[0], 0);
		assert_int_equal(counts[1], 1021);
		plan_done(&plan);
	}
}

static void test_nobody_serves(void **state)
{
	unsigned counts[BACKENDS];
	struct plan plan;

	(void)state;
	inputs[0].up = inputs[1].up = false;
	assert_int_equal(plan_and_count(&plan, counts), 1021);
	assert_int_equal(plan.n_serving, 0);
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
	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, &first), 0);
	backends[0] = backends[1];
	backends[1] = swapped;
	assert_int_equal(plan_build(&service, &service.addresses[0], inputs, &second), 0);
	for (unsigned i = 0; i < first.table_size; i++)
		assert_memory_equal(&first.backends[first.table[i]].key,
				    &second.backends[second.table[i]].key, sizeof(struct sl_key));
	plan_done(&first);
	plan_done(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_the_address_family, setup),
		cmocka_unit_test_setup(test_down_unresolved_or_weightless_gets_nothing, setup),
		cmocka_unit_test_setup(test_nobody_serves, setup),
		cmocka_unit_test_setup(test_order_of_the_file_does_not_matter, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
