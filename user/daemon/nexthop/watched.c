// SPDX-License-Identifier: BSD-2-Clause
/* Which hops are to be computed anew, and who is told of what has changed. */
#include "daemon/nexthop/watched.h"

void nexthops_mark_dirty(struct target *target)
{
	if (target->dirty)
		return;
	target->dirty = true;
	TAILQ_INSERT_TAIL(&target->hops->dirty, target, dirty_link);
}

void nexthops_flush(struct nexthops *hops)
{
	struct nexthop_watch *watch;
	struct target *target;
	struct nexthop hop;

	while ((target = TAILQ_FIRST(&hops->dirty))) {
		TAILQ_REMOVE(&hops->dirty, target, dirty_link);
		target->dirty = false;
		hop = nexthop_path_describe(&hops->sources, &target->path);
		if (nexthop_equal(&hop, &target->hop))
			continue;
		target->hop = hop;
		for (watch = LIST_FIRST(&target->watches); watch; watch = LIST_NEXT(watch, link)) {
			if (!watch->pending)
				TAILQ_INSERT_TAIL(&hops->pending, watch, pending_link);
			watch->pending = true;
		}
	}
	while ((watch = TAILQ_FIRST(&hops->pending))) {
		TAILQ_REMOVE(&hops->pending, watch, pending_link);
		watch->pending = false;
		watch->changed(watch->arg);
	}
}
