// SPDX-License-Identifier: BSD-2-Clause
#include "lib/limit/inherit.h"

#include <string.h>

#include "lib/limit/algorithm.h"

bool limit_same_kind(const struct sl_limit *a, const struct sl_limit *b)
{
	return a->count == b->count && a->algorithm == b->algorithm &&
	       a->prefix_v4 == b->prefix_v4 && a->prefix_v6 == b->prefix_v6 &&
	       !((a->flags ^ b->flags) & SL_LIMIT_PER_SERVICE);
}

/* Whether the state of a bucket of `old` is as true of `limit`. A larger burst lets a
 * source owe more than a smaller one holds; a window's units are units whatever it admits.
 */
static bool same_debts(const struct sl_limit *old, const struct sl_limit *limit)
{
	return old->rate.interval == limit->rate.interval && old->shift == limit->shift &&
	       (!limit_algorithm(limit->algorithm)->has_burst ||
		old->rate.depth <= limit->rate.depth);
}

bool limit_inherit(const struct sl_limit *old, unsigned new_id, unsigned now,
		   struct sl_limit *limit)
{
	const struct limit_algorithm *row = limit_algorithm(limit->algorithm);

	limit->number = old->number;
	if (same_debts(old, limit)) {
		limit->id = old->id;
		limit->replaced = old->replaced;
		limit->replaced_until = old->replaced_until;
		limit->replaced_interval = old->replaced_interval;
		return false;
	}
	limit->id = new_id;
	if (row->replace)
		row->replace(old, now, limit);
	return true;
}

void limit_inherit_bucket(const struct sl_limit *limit, struct sl_bucket *bucket,
			  unsigned long long now)
{
	const struct limit_algorithm *row = limit_algorithm(limit->algorithm);

	if (row && row->convert)
		row->convert(limit, bucket, now);
}

struct sl_bucket limit_inherit_total(const struct sl_limit *old, const struct sl_limit *limit,
				     const struct sl_bucket *total, unsigned long long now)
{
	struct sl_bucket next = *total;

	if (limit->id == old->id)
		return next;
	if (limit->replaced)
		limit_inherit_bucket(limit, &next, now);
	else
		memset(next.state, 0, sizeof(next.state));
	return next;
}
