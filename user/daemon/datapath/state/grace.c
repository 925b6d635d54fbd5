// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/grace.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"
#include "lib/base/cleanup.h"

void grace_watch_pool(struct grace *grace, struct idpool *pool)
{
	assert(grace->n_pools < GRACE_POOLS);
	grace->pools[grace->n_pools++] = pool;
}

void grace_watch_ranges(struct grace *grace, struct extents *ranges)
{
	assert(grace->n_ranges < GRACE_RANGES);
	grace->ranges[grace->n_ranges++] = ranges;
}

/* Changing an element of a map of maps from user space waits until no program
 * can see the old inner map any more, hence until every run has ended that had
 * begun before (kernel: maybe_wait_bpf_programs()).
 */
static int wait_for_readers(void)
{
	_cleanup_(cleanup_close) int inner = -1;
	_cleanup_(cleanup_close) int outer = -1;
	LIBBPF_OPTS(bpf_map_create_opts, options);
	__u32 key = 0;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sl_grace_inner", sizeof(__u32), sizeof(__u32),
			       1, NULL);
	if (inner < 0)
		return -errno;
	options.inner_map_fd = (__u32)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "sl_grace", sizeof(__u32), sizeof(__u32),
			       1, &options);
	if (outer < 0)
		return -errno;
	return bpf_map_update_elem(outer, &key, &inner, BPF_ANY) ? -errno : 0;
}

int grace_wait(struct grace *grace)
{
	int error = wait_for_readers();

	if (!error)
		grace_recycle(grace);
	return error;
}

void grace_recycle(struct grace *grace)
{
	for (unsigned i = 0; i < grace->n_pools; i++)
		idpool_recycle(grace->pools[i]);
	for (unsigned i = 0; i < grace->n_ranges; i++)
		extents_recycle(grace->ranges[i]);
	grace->epoch++;
}

unsigned grace_take(struct grace *grace, struct idpool *pool)
{
	unsigned index = idpool_take(pool);

	if (index || !idpool_available(pool) || grace_wait(grace))
		return index;
	return idpool_take(pool);
}

/* Without memory to remember it, the index is lost, not used too early. */
void grace_drop(struct grace *grace, struct idpool *pool, unsigned index)
{
	if (grace->n_dropped == grace->size_dropped) {
		size_t size = grace->size_dropped ? grace->size_dropped * 2 : 64;
		struct dropped *dropped = reallocarray(grace->dropped, size, sizeof(*dropped));

		if (!dropped)
			return;
		grace->dropped = dropped;
		grace->size_dropped = size;
	}
	grace->dropped[grace->n_dropped++] =
		(struct dropped){ .pool = pool, .index = index, .round = grace->round };
}

void grace_begin_round(struct grace *grace)
{
	grace->round++;
}

void grace_end_round(struct grace *grace)
{
	size_t kept = 0;

	for (size_t i = 0; i < grace->n_dropped; i++) {
		const struct dropped *dropped = &grace->dropped[i];

		if (dropped->round < grace->round)
			idpool_retire(dropped->pool, dropped->index);
		else
			grace->dropped[kept++] = *dropped;
	}
	grace->n_dropped = kept;
}

void grace_done(struct grace *grace)
{
	free(grace->dropped);
}
