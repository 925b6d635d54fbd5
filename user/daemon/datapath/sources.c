// SPDX-License-Identifier: BSD-2-Clause
/* The program goes on writing while buckets are read: every word is whole, and a bucket's
 * words may be of different moments.
 */
#include "daemon/datapath/sources.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/state/counters.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"
#include "sluice/gcra.h"

#define BATCH          4096
#define LIMIT_COUNTERS (sizeof(struct sl_limit_stats) / sizeof(__u64))
#define BUCKET_WORDS   (SL_WINDOW_PARTS + 1)

static __u64 load_word(const __u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* ---- limits ------------------------------------------------------------------ */

const struct sl_limit *datapath_limit(const struct datapath *datapath, unsigned index)
{
	const struct sl_limit *limit;

	/* Index 0 is none, and so is number 0. */
	if (!index || index >= datapath->maps.map[MAP_LIMITS].entries)
		return NULL;
	limit = &datapath->maps.limits[index];
	return limit->number ? limit : NULL;
}

int datapath_limit_stats(const struct datapath *datapath, unsigned index,
			 struct sl_limit_stats *ret_stats)
{
	const struct sl_limit *limit = datapath_limit(datapath, index);

	if (!limit)
		return -ENOENT;
	return counters_sum(&datapath->maps.map[MAP_LIMIT_STAT], limit->number, LIMIT_COUNTERS,
			    (__u64 *)ret_stats);
}

struct sl_bucket datapath_limit_total(const struct datapath *datapath, unsigned index)
{
	struct sl_bucket bucket = {};
	const struct sl_bucket *total;

	if (!datapath_limit(datapath, index))
		return bucket;
	total = &datapath->maps.totals[index];
	bucket.refused = load_word(&total->refused);
	bucket.over = __atomic_load_n(&total->over, __ATOMIC_RELAXED);
	bucket.last = __atomic_load_n(&total->last, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < BUCKET_WORDS; i++)
		bucket.state[i] = load_word(&total->state[i]);
	return bucket;
}

/* Word by word, while packets change them: a packet that gives back the units that it took
 * before leaves a time, or the number of a window, that is long past.
 */
int datapath_forget_total(struct datapath *datapath, unsigned index)
{
	struct sl_bucket *total;
	bool used = false;

	if (!datapath_limit(datapath, index))
		return -ENOENT;
	total = &datapath->maps.totals[index];
	for (unsigned i = 0; i < BUCKET_WORDS; i++)
		used |= __atomic_exchange_n(&total->state[i], 0, __ATOMIC_RELAXED) != 0;
	__atomic_store_n(&total->refused, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&total->last, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&total->over, 0, __ATOMIC_RELEASE);
	return used ? 0 : -ENOENT;
}

/* ---- sources ----------------------------------------------------------------- */

/* A list that grows, and a batch on its way into it. */
struct gathering {
	struct source *sources;
	size_t n, room;
	struct sl_source keys[BATCH];
	struct sl_bucket buckets[BATCH];
};

static void gathering_free(struct gathering **gathering)
{
	if (!*gathering)
		return;
	free((*gathering)->sources);
	free(*gathering);
}

/* Takes the first n of the batch. 0 or -ENOMEM. */
static int gather(struct gathering *gathering, unsigned n)
{
	struct source *sources = gathering->sources;
	size_t room = gathering->room;

	if (gathering->n + n > room) {
		room = 2 * room + BATCH;
		sources = reallocarray(sources, room, sizeof(*sources));
		if (!sources)
			return -ENOMEM;
		gathering->sources = sources;
		gathering->room = room;
	}
	for (unsigned i = 0; i < n; i++)
		sources[gathering->n++] = (struct source){
			.key = gathering->keys[i],
			.bucket = gathering->buckets[i],
		};
	return 0;
}

static int gather_batches(struct gathering *gathering, int fd)
{
	__u32 token = 0, count;
	bool begun = false;
	int error, full;

	for (;;) {
		count = BATCH;
		error = bpf_map_lookup_batch(fd, begun ? &token : NULL, &token, gathering->keys,
					     gathering->buckets, &count, NULL);
		if (error && error != -ENOENT)
			return error;
		begun = true;
		yield_point();
		full = gather(gathering, count);
		if (full || error)
			return full;
	}
}

/* One at a time. When a key is lost meanwhile the kernel starts anew: the number
 * of steps is bounded, and a source may then be there twice.
 */
static int gather_singly(struct gathering *gathering, int fd, unsigned entries)
{
	struct sl_source key, *previous = NULL;
	int error = 0;

	for (unsigned i = 0; !error && i < entries; i++) {
		if (bpf_map_get_next_key(fd, previous, &key))
			return errno == ENOENT ? 0 : -errno;
		yield_point();
		previous = &gathering->keys[0];
		gathering->keys[0] = key;
		if (!bpf_map_lookup_elem(fd, &key, &gathering->buckets[0]))
			error = gather(gathering, 1);
	}
	return error;
}

int datapath_sources(const struct datapath *datapath, struct source **ret_sources, size_t *ret_n)
{
	_cleanup_(gathering_free) struct gathering *gathering = calloc(1, sizeof(*gathering));
	const struct map *map = &datapath->maps.map[MAP_BUCKETS];
	int error;

	if (!gathering)
		return -ENOMEM;
	error = gather_batches(gathering, map->fd);
	if (error && error != -ENOMEM) {
		/* No batches in this kernel, or more in one place than a batch holds. */
		gathering->n = 0;
		error = gather_singly(gathering, map->fd, map->entries);
	}
	if (error)
		return error;
	*ret_n = gathering->n;
	*ret_sources = TAKE_PTR(gathering->sources);
	return 0;
}

int datapath_source(const struct datapath *datapath, const struct sl_source *key,
		    struct sl_bucket *ret_bucket)
{
	struct sl_bucket bucket;

	if (bpf_map_lookup_elem(datapath->maps.map[MAP_BUCKETS].fd, key, &bucket))
		return -errno;
	*ret_bucket = bucket;
	return 0;
}

int datapath_forget_source(struct datapath *datapath, const struct sl_source *key)
{
	return bpf_map_delete_elem(datapath->maps.map[MAP_BUCKETS].fd, key) ? -errno : 0;
}
