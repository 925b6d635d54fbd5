// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/clock.h"

#include <time.h>

#include "sluice/second.h"

uint64_t clock_monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint32_t clock_second(void)
{
	return sl_second(clock_monotonic_ns());
}

uint32_t clock_timeout(unsigned ms)
{
	return sl_second_ceil((uint64_t)ms * 1000000);
}

uint64_t clock_wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
