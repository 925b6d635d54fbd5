// SPDX-License-Identifier: BSD-2-Clause
/* The program's coarse clock, as the daemon reads it. */
#include <time.h>

#include "daemon/datapath/internal.h"

__u32 coarse_timeout(unsigned ms)
{
	return (__u32)(((__u64)ms * 1000000 + (1ULL << SL_SECOND_SHIFT) - 1) >> SL_SECOND_SHIFT);
}

unsigned datapath_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned)(((__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec) >> SL_SECOND_SHIFT);
}
