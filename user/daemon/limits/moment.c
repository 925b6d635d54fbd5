// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/limits/moment.h"

#include <time.h>

#include "daemon/core/balancer.h"

struct moment moment_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct moment){
		.ns = (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec,
		.wall_ms = balancer_wall_clock_ms(),
	};
}

unsigned long long moment_age_ms(const struct moment *now, __u32 second)
{
	unsigned long long began = (unsigned long long)second << SL_SECOND_SHIFT;

	return now->ns > began ? (now->ns - began) / 1000000 : 0;
}

bool moment_is_over(const struct moment *now, const struct sl_bucket *bucket)
{
	/* Signed: the program may have gone on since the clock was read. */
	__s32 age = (__s32)((__u32)(now->ns >> SL_SECOND_SHIFT) - bucket->last);

	return bucket->over && age < SL_LIMIT_CALM;
}
