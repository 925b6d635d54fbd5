// SPDX-License-Identifier: BSD-2-Clause
/* fixed-window: a count that begins anew with each period of the clock. The state is one
 * word of sluice/window.h.
 */
#include "lib/limit/algorithm.h"
#include "lib/limit/ticks.h"
#include "lib/limit/window.h"
#include "sluice/window.h"

static unsigned long long used(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now)
{
	return sl_window_units(bucket->state[0], sl_window_number(limit, now));
}

/* All units of a window are there again when the next one begins. */
static unsigned long long wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				  unsigned long long now, unsigned long long units)
{
	unsigned long long length = at_least(limit->rate.interval, 1);

	if (used(limit, bucket, now) <= limit->rate.depth - units)
		return 0;
	return whole_ns(length - now % length);
}

const struct limit_algorithm limit_fixed_window = {
	.wire = window_wire,
	.whole = window_whole,
	.used = used,
	.wait_ns = wait_ns,
	.window_ns = window_length_ns,
};
