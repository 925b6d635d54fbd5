// SPDX-License-Identifier: BSD-2-Clause
#include "lib/limit/window.h"

#include "lib/config/config.h"
#include "lib/limit/ticks.h"
#include "sluice/window.h"

void window_wire(const struct limit_config *config, struct sl_limit *limit)
{
	limit->rate.interval = config->rate.seconds * TICKS_PER_SECOND;
	/* More is no limit, and a packet's units still fit into the word on top of it. */
	limit->rate.depth = at_most(config->rate.count, SL_WINDOW_UNITS_MAX >> 1);
}

unsigned long long window_whole(const struct sl_limit *limit)
{
	return limit->rate.depth;
}

unsigned long long window_length_ns(const struct sl_limit *limit)
{
	return whole_ns(limit->rate.interval);
}
