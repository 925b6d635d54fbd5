// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/limits/moment.h"

#include "daemon/clock.h"
#include "sluice/second.h"

struct moment moment_now(void)
{
	return (struct moment){
		.ns = clock_monotonic_ns(),
		.wall_ms = clock_wall_ms(),
	};
}

unsigned long long moment_age_ms(const struct moment *now, __u32 second)
{
	unsigned long long began = sl_second_ns(second);

	return now->ns > began ? (now->ns - began) / 1000000 : 0;
}

bool moment_is_over(const struct moment *now, const struct sl_bucket *bucket)
{
	/* Signed: the program may have gone on since the clock was read. */
	__s32 age = sl_second_difference(sl_second(now->ns), bucket->last);

	return bucket->over && age < SL_LIMIT_CALM;
}
