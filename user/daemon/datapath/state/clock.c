// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/clock.h"

#include <time.h>

#include "sluice/abi.h"

__u32 clock_timeout(unsigned ms)
{
	return (__u32)(((__u64)ms * 1000000 + (1ULL << SL_SECOND_SHIFT) - 1) >> SL_SECOND_SHIFT);
}

__u32 clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u32)(((__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec) >> SL_SECOND_SHIFT);
}
