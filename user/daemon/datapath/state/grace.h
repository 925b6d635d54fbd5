/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When an index of a map may be given out again. Packets reach it until a grace period has
 * passed since nothing led to it any more (it is retired: lib/alloc); tracked flows name it
 * until a whole round of the walk has taken them out (it is dropped, then retired).
 *
 * A module that gives indices out has its pool watched here, and need not be known by name.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_GRACE_H
#define SLUICE_DAEMON_DATAPATH_STATE_GRACE_H

#include <stddef.h>

struct extents;
struct idpool;

#define GRACE_POOLS  8
#define GRACE_RANGES 2

struct dropped {
	struct idpool *pool;
	unsigned index;
	unsigned round; /* in which it was dropped */
};

struct grace {
	/* Counts the grace periods waited for: no packet reaches an index any more that was
	 * retired in an earlier epoch.
	 */
	unsigned epoch;
	unsigned round; /* of the walk; counts from the start of this daemon */
	struct dropped *dropped;
	size_t n_dropped, size_dropped;
	struct idpool *pools[GRACE_POOLS];
	struct extents *ranges[GRACE_RANGES];
	unsigned n_pools, n_ranges;
};

/* From now on grace_wait() frees the retired indices of it. At most GRACE_POOLS and
 * GRACE_RANGES are watched.
 */
void grace_watch_pool(struct grace *grace, struct idpool *pool);
void grace_watch_ranges(struct grace *grace, struct extents *ranges);

/* Waits until every run of the program has ended that had begun before the call, and
 * makes retired indices free again. 0 or -errno.
 */
int grace_wait(struct grace *grace);

/* The second half of grace_wait(), for a caller that knows that no packet is under way. */
void grace_recycle(struct grace *grace);

/* A free index of a watched pool; waits where only retired ones are left. 0: none. */
unsigned grace_take(struct grace *grace, struct idpool *pool);

/* Takes an index out of use that flows may still name. */
void grace_drop(struct grace *grace, struct idpool *pool, unsigned index);

/* A round of the walk over the flows begins; has ended: no flow names an index any more that
 * was dropped before it began, and the index is retired.
 */
void grace_begin_round(struct grace *grace);
void grace_end_round(struct grace *grace);

void grace_done(struct grace *grace);

#endif
