/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The buckets of limited sources, as of one moment. Only reads.
 */
#ifndef SLUICE_DAEMON_LIMITS_BUCKETS_H
#define SLUICE_DAEMON_LIMITS_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/datapath/sources.h"
#include "daemon/limits/moment.h"
#include "daemon/limits/running.h"

struct ip;

struct buckets {
	struct running running; /* with their buckets counted */
	struct source *all;     /* n_sources of sources, then one for each limit per service */
	size_t n_sources, n;
	struct moment now;
};

/* Copies them: with all 131072 of the default that takes tens of milliseconds. 0 or
 * -errno. buckets_done() accepts an empty one.
 */
int buckets_read(const struct balancer *balancer, struct buckets *ret_buckets);
void buckets_done(struct buckets *buckets);

/* The bucket that the program would go by for this address, at a limit that runs: its
 * own, or the one of the limit's generation before. False: it has none, and owes at most
 * the gate's share, which *ret_source then says.
 */
bool buckets_find(const struct running_limit *limit, const struct ip *ip, const struct moment *now,
		  struct source *ret_source);

#endif
