/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The buckets of limited sources: reading and forgetting. A source that the gate admits has
 * no bucket and is not among them.
 */
#ifndef SLUICE_DAEMON_DATAPATH_SOURCES_H
#define SLUICE_DAEMON_DATAPATH_SOURCES_H

#include <stddef.h>

#include "sluice/abi.h"

struct datapath;

/* The limit that runs under this index; NULL: none. Valid until the next datapath_apply(). */
const struct sl_limit *datapath_limit(const struct datapath *datapath, unsigned index);

/* Sums over CPUs. 0 or -errno. */
int datapath_limit_stats(const struct datapath *datapath, unsigned index,
			 struct sl_limit_stats *ret_stats);

/* Of `per: service`: the one bucket of the limit. */
struct sl_bucket datapath_limit_total(const struct datapath *datapath, unsigned index);

struct source {
	struct sl_source key; /* id: sl_limit.id */
	struct sl_bucket bucket;
};

/* All buckets, in no order; *ret_sources is the caller's to free. With many it
 * takes tens of milliseconds. 0 or -errno.
 */
int datapath_sources(const struct datapath *datapath, struct source **ret_sources, size_t *ret_n);

/* One bucket. 0 or -ENOENT. */
int datapath_source(const struct datapath *datapath, const struct sl_source *key,
		    struct sl_bucket *ret_bucket);

/* Forgets it: the source has a full bucket again. 0 or -ENOENT. */
int datapath_forget_source(struct datapath *datapath, const struct sl_source *key);

/* The same of the one bucket of a limit per service. -ENOENT: no source has used it. */
int datapath_forget_total(struct datapath *datapath, unsigned index);

#endif
