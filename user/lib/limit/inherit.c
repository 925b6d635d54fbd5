// SPDX-License-Identifier: BSD-2-Clause
#include "lib/limit/inherit.h"

#include <string.h>

#include "sluice/gcra.h"

bool limit_same_kind(const struct sl_limit *a, const struct sl_limit *b)
{
	return a->count == b->count && a->algorithm == b->algorithm &&
	       a->prefix_v4 == b->prefix_v4 && a->prefix_v6 == b->prefix_v6 &&
	       !((a->flags ^ b->flags) & SL_LIMIT_PER_SERVICE);
}

/* Whether what a bucket of `old` says is as true of `limit`. Of a larger burst, more
 * may be owed than a smaller one holds; a window's units are units whatever it admits.
 */
static bool same_debts(const struct sl_limit *old, const struct sl_limit *limit)
{
	return old->rate.interval == limit->rate.interval && old->shift == limit->shift &&
	       (limit->algorithm != SL_ALGORITHM_TOKEN_BUCKET ||
		old->rate.depth <= limit->rate.depth);
}

/* After how many SL_SECONDs whoever owed anything does not any more. */
static unsigned paid_after(const struct sl_limit *limit)
{
	return (unsigned)(limit->rate.depth >> (SL_TICK_SHIFT + SL_SECOND_SHIFT)) + 2;
}

bool limit_inherit(const struct sl_limit *old, unsigned new_id, unsigned now,
		   struct sl_limit *limit)
{
	limit->number = old->number;
	if (same_debts(old, limit)) {
		limit->id = old->id;
		limit->replaced = old->replaced;
		limit->replaced_until = old->replaced_until;
		limit->replaced_interval = old->replaced_interval;
		return false;
	}
	limit->id = new_id;
	/* Windows of another length have nothing to tell each other. */
	if (limit->algorithm != SL_ALGORITHM_TOKEN_BUCKET)
		return true;
	limit->replaced = old->id;
	limit->replaced_until = now + paid_after(old);
	limit->replaced_interval = old->rate.interval >> old->shift ?: 1;
	return true;
}

struct sl_bucket limit_inherit_total(const struct sl_limit *old, const struct sl_limit *limit,
				     const struct sl_bucket *total, unsigned long long now)
{
	struct sl_bucket next = *total;

	if (limit->id == old->id)
		return next;
	if (limit->replaced)
		next.state[0] = sl_gcra_convert(limit, next.state[0], now);
	else
		memset(next.state, 0, sizeof(next.state));
	return next;
}
