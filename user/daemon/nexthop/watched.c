// SPDX-License-Identifier: BSD-2-Clause
/* Which next hops are to be computed anew, and which watches are told of a change. A gateway leads
 * to thousands of backends, so a step of the loop does as much of either as fits into FLUSH_NS.
 */
#include "daemon/nexthop/watched.h"

#define FLUSH_NS    10000000 /* in one step of the loop */
#define FLUSH_CHECK 16       /* next hops or watches between two readings of the clock */

void nexthops_mark_dirty(struct target *target)
{
	if (target->dirty)
		return;
	target->dirty = true;
	TAILQ_INSERT_TAIL(&target->hops->dirty, target, dirty_link);
}

/* Computes the hop of the first dirty target, and has its watchers called if it has changed. */
static void describe_first(struct nexthops *hops)
{
	struct target *target = TAILQ_FIRST(&hops->dirty);
	const struct nexthop hop = nexthop_path_describe(&hops->sources, &target->path);
	struct nexthop_watch *watch;

	TAILQ_REMOVE(&hops->dirty, target, dirty_link);
	target->dirty = false;
	if (nexthop_equal(&hop, &target->hop))
		return;
	target->hop = hop;
	for (watch = LIST_FIRST(&target->watches); watch; watch = LIST_NEXT(watch, link)) {
		if (!watch->pending)
			TAILQ_INSERT_TAIL(&hops->pending, watch, pending_link);
		watch->pending = true;
	}
}

static void tell_first(struct nexthops *hops)
{
	struct nexthop_watch *watch = TAILQ_FIRST(&hops->pending);

	TAILQ_REMOVE(&hops->pending, watch, pending_link);
	watch->pending = false;
	watch->changed(watch->arg);
}

static bool has_work(const struct nexthops *hops)
{
	return !TAILQ_EMPTY(&hops->dirty) || !TAILQ_EMPTY(&hops->pending);
}

static void on_flush_timer(uv_timer_t *timer)
{
	nexthops_flush(timer->data);
}

/* All hops are computed before the first watcher is called, unless more become dirty while
 * watchers wait: those are computed first.
 */
void nexthops_flush(struct nexthops *hops)
{
	const uint64_t started_ns = uv_hrtime();

	for (unsigned n = 1; has_work(hops); n++) {
		if (n % FLUSH_CHECK == 0 && uv_hrtime() - started_ns > FLUSH_NS) {
			/* not 0: libuv 1.44 would run it again before it looks at sockets */
			(void)uv_timer_start(&hops->flush_timer, on_flush_timer, 1, 0);
			return;
		}
		if (!TAILQ_EMPTY(&hops->dirty))
			describe_first(hops);
		else
			tell_first(hops);
	}
}
