// SPDX-License-Identifier: BSD-2-Clause
/* sliding-window: a count over the period that ends now. The state is one word of
 * sluice/window.h for each part of the period, and one for the part that is leaving it.
 */
#include "lib/limit/algorithm.h"
#include "lib/limit/ticks.h"
#include "lib/limit/window.h"
#include "sluice/window.h"

static unsigned long long used(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now)
{
	struct sl_window_part part = sl_window_part(limit, now);
	__u64 own = bucket->state[sl_window_index(&part)];

	return sl_window_others(limit, bucket, &part) + sl_window_units(own, part.number);
}

/* As long as nothing is sent, the units that are used become fewer, and are gone after a
 * window and the part that is leaving it.
 */
static unsigned long long wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				  unsigned long long now, unsigned long long units)
{
	unsigned long long most = limit->rate.depth - units, early = 0, late, middle;

	if (used(limit, bucket, now) <= most)
		return 0;
	late = whole_ns(limit->rate.interval + limit->rate.interval / SL_WINDOW_PARTS);
	while (late - early > 1) {
		middle = early + (late - early) / 2;
		if (used(limit, bucket, now + sl_ticks(middle)) <= most)
			late = middle;
		else
			early = middle;
	}
	return late;
}

const struct limit_algorithm limit_sliding_window = {
	.wire = window_wire,
	.whole = window_whole,
	.used = used,
	.wait_ns = wait_ns,
	.window_ns = window_length_ns,
};
