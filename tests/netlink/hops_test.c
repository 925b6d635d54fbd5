// SPDX-License-Identifier: BSD-2-Clause
/* daemon/hops against the real kernel. Runs one scenario in the network namespace
 * that it is started in, which test_hops.py has made:
 *
 *   v0 10.77.0.1/24 fd77::1/64  --  p0 10.77.0.2/24 fd77::2/64  (the peer's namespace)
 *   v1 10.78.0.1/24 fd78::1/64  --  p1 10.78.0.2/24 fd78::2/64
 *
 * MAC addresses: 02:77:00:00:00:01 (v0) and :02 (p0), 02:78:... for the others. p0
 * announces a new MAC by itself (arp_notify), p1 does not.
 */
#include <string.h>

#include "harness.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"
#include "scenarios.h"

static const struct scenario {
	const char *name;
	void (*run)(void);
} scenarios[] = {
#define SCENARIO_ROW(name) { #name, name },
	SCENARIOS(SCENARIO_ROW)
#undef SCENARIO_ROW
};

static void run_scenario(const struct scenario *scenario)
{
	struct diag diag = {};

	check(uv_loop_init(&loop) == 0);
	if (nexthops_new(&loop, &diag, &hops) < 0)
		fail("nexthops_new: %s", diag.text);
	scenario->run();
	nexthops_free(hops);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	check(uv_loop_close(&loop) == 0);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(scenarios); i++) {
		if (strcmp(argv[1], scenarios[i].name) != 0)
			continue;
		peer = argv[2];
		run_scenario(&scenarios[i]);
		return 0;
	}
	(void)fputs("usage: hops_test SCENARIO PEER-NAMESPACE\n", stderr);
	return 2;
}
