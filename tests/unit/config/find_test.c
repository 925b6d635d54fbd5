// SPDX-License-Identifier: BSD-2-Clause
/* A backend is found by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/diag.h"
#include "lib/config/config.h"
#include "lib/config/edit.h"
#include "unit/base/growth.h"

#define MANY 2000

static struct config *parse_many(size_t n)
{
	static char text[4 * MANY * 64];
	struct config *config = NULL;
	struct diag diag = {};
	size_t used = (size_t)sprintf(text, "services:\n  - name: a\n    address: 192.0.2.1\n"
					    "    port: 80\n    backends:\n");

	for (size_t i = 0; i < n; i++)
		used += (size_t)sprintf(text + used,
					"      - {name: b%zu, address: 10.0.%zu.%zu}\n", i, i / 250,
					i % 250 + 1);
	if (config_parse(text, used, "test", &diag, &config))
		fail_msg("%s", diag.text);
	return config;
}

/* The index at which the backend stands, or -1. */
static ptrdiff_t place_of(const struct config *config, const char *name)
{
	const struct backend_config *found = config_find_backend(&config->services[0], name);

	return found ? found - config->services[0].backends : -1;
}

static void a_backend_is_found_by_name(void **state)
{
	_cleanup_(config_freep) struct config *from = parse_many(30), *config = NULL;
	const struct config_change removal = {
		.kind = CHANGE_REMOVE,
		.service = "a",
		.backend = "b7",
	};
	char name[16];

	(void)state;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "b%d", i);
		assert_int_equal(place_of(from, name), i);
	}
	assert_int_equal(place_of(from, "b30"), -1);
	assert_int_equal(config_apply_change(from, &removal, NULL, &config), 0);
	assert_int_equal(place_of(config, "b6"), 6);
	assert_int_equal(place_of(config, "b7"), -1);
	assert_int_equal(place_of(config, "b8"), 7);
}

static struct config *many, *four_times_many;

static void find_all(size_t size)
{
	const struct config *config = size == MANY ? many : four_times_many;
	const struct service_config *service = &config->services[0];

	for (size_t i = 0; i < service->n_backends; i++)
		assert_int_equal(place_of(config, service->backends[i].name), i);
}

static void finding_all_is_not_quadratic(void **state)
{
	(void)state;
	many = parse_many(MANY);
	four_times_many = parse_many(4 * MANY);
	assert_true(growth_of(find_all, MANY) < GROWTH_MAX);
	config_free(many);
	config_free(four_times_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backend_is_found_by_name),
		cmocka_unit_test(finding_all_is_not_quadratic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
