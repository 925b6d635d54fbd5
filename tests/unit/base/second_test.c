// SPDX-License-Identifier: BSD-2-Clause
/* Coarse seconds, as flows, affinities and access entries are compared by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sluice/second.h"

#define LONGEST 86400 /* SL_SECONDs, and more than any timeout is */

/* At every wrap of their 32 bits, and between. */
static void test_differences_at_every_wrap(void **state)
{
	(void)state;
	for (uint64_t wrap = 0; wrap < 4; wrap++)
		for (int64_t offset = -3 * LONGEST; offset <= 3 * LONGEST; offset += LONGEST / 16) {
			const uint64_t then = (wrap + 1) * (1ULL << 32) + (uint64_t)offset;
			const uint32_t seen = sl_second(then << SL_SECOND_SHIFT);

			for (uint32_t age = 0; age <= LONGEST; age += LONGEST / 8) {
				const uint32_t now = sl_second((then + age) << SL_SECOND_SHIFT);

				assert_int_equal(sl_second_difference(now, seen), age);
				assert_int_equal(sl_second_difference(seen, now), -(int64_t)age);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences_at_every_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
