/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * A source that the gate does not admit is judged by a bucket of its own, which is
 * exact on all CPUs, by compare-and-swap.
 */
#ifndef SLUICE_BPF_BUCKET_H
#define SLUICE_BPF_BUCKET_H

#include "bpf/access.h"
#include "bpf/gate.h"
#include "bpf/maps.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "sluice/gcra.h"
#include "sluice/second.h"
#include "sluice/window.h"

/* Swaps that may be lost in a row. After them, tokens are charged without a question,
 * and given back where that was too much; units of a window are refused.
 */
#define BUCKET_TRIES 8

/* A packet against a limit. */
struct limit_ask {
	struct sl_addr source;
	__u32 family;
	__u32 limit; /* index into sl_limits */
	__u32 service;
	__u32 length;  /* of the frame */
	__u32 opens;   /* a connection: 1, or 0 */
	__u32 at_gate; /* 0: the gate was asked, and did not admit it */
};

static __always_inline struct sl_limit_stats *limit_stats(const struct sl_limit *limit)
{
	__u32 number = limit->number;

	return bpf_map_lookup_elem(&sl_limit_stat, &number);
}

/* ---- algorithms: each charges the bucket, and says whether the units may pass ---- */

static __always_inline bool take_tokens(const struct sl_limit *limit, struct sl_bucket *bucket,
					__u32 units, __u64 now)
{
	__u64 cost = sl_limit_cost(limit, units), depth = limit->rate.depth, seen, next;

	for (int i = 0; i < BUCKET_TRIES; i++) {
		seen = *(volatile __u64 *)&bucket->state[0];
		if (!sl_gcra_admit(depth, cost, seen, now, &next))
			return false;
		if (__sync_val_compare_and_swap(&bucket->state[0], seen, next) == seen)
			return true;
	}
	seen = __sync_fetch_and_add(&bucket->state[0], cost);
	if (sl_gcra_admit(depth, cost, seen, now, &next))
		return true;
	__sync_fetch_and_add(&bucket->state[0], -cost);
	return false;
}

/* Adds units to a word of window `number`, if the word then counts at most `most`. */
static __always_inline bool window_add(__u64 *word, __u64 number, __u32 units, __u64 most)
{
	for (int i = 0; i < BUCKET_TRIES; i++) {
		__u64 seen = *(volatile __u64 *)word;
		__u64 counted = sl_window_units(seen, number) + units;

		if (counted > most)
			return false;
		if (__sync_val_compare_and_swap(word, seen, sl_window_word(number, counted)) ==
		    seen)
			return true;
	}
	return false;
}

static __always_inline bool take_fixed(const struct sl_limit *limit, struct sl_bucket *bucket,
				       __u32 units, __u64 now)
{
	return window_add(&bucket->state[0], sl_window_number(limit, now), units,
			  limit->rate.depth);
}

static __always_inline bool take_sliding(const struct sl_limit *limit, struct sl_bucket *bucket,
					 __u32 units, __u64 now)
{
	struct sl_window_part part = sl_window_part(limit, now);
	__u64 others = sl_window_others(limit, bucket, &part);
	__u32 own = sl_window_index(&part);

	/* Older verifiers do not know the bound of a remainder, and the compiler, which
	 * does, would leave the check out.
	 */
	asm volatile("" : "+r"(own));
	return own <= SL_WINDOW_PARTS && others <= limit->rate.depth &&
	       window_add(&bucket->state[own], part.number, units, limit->rate.depth - others);
}

/* A value that is no algorithm's admits nothing. */
static __always_inline bool bucket_take(const struct sl_limit *limit, struct sl_bucket *bucket,
					__u32 units, __u64 now)
{
	enum sl_limit_algorithm algorithm = limit->algorithm;

	/* Most limits are of this algorithm: they are spared the order of the switch. */
	if (likely(algorithm == SL_ALGORITHM_TOKEN_BUCKET))
		return take_tokens(limit, bucket, units, now);
	switch (algorithm) {
	case SL_ALGORITHM_TOKEN_BUCKET:
		return take_tokens(limit, bucket, units, now);
	case SL_ALGORITHM_FIXED_WINDOW:
		return take_fixed(limit, bucket, units, now);
	case SL_ALGORITHM_SLIDING_WINDOW:
		return take_sliding(limit, bucket, units, now);
	}
	/* An unknown algorithm, which the map must not hold, admits nothing. */
	return false;
}

/* Makes the state of a bucket of the generation before a state of this one. */
static __always_inline void bucket_convert(const struct sl_limit *limit, struct sl_bucket *bucket,
					   __u64 now)
{
	switch ((enum sl_limit_algorithm)limit->algorithm) {
	case SL_ALGORITHM_TOKEN_BUCKET:
		bucket->state[0] = sl_gcra_convert(limit, bucket->state[0], now);
		return;
	case SL_ALGORITHM_FIXED_WINDOW:
	case SL_ALGORITHM_SLIDING_WINDOW:
		return; /* units are units */
	}
}

/* ---- the bucket -------------------------------------------------------------- */

/* A source without a bucket begins with the debt that it had to the rate before. */
static __always_inline void bucket_inherit(const struct sl_limit *limit, struct sl_source key,
					   __u64 clock, struct sl_bucket *fresh)
{
	const struct sl_bucket *old;

	if (!limit->replaced || sl_second_difference(limit->replaced_until, sl_second(clock)) <= 0)
		return;
	key.id = limit->replaced;
	old = bpf_map_lookup_elem(&sl_buckets, &key);
	if (!old)
		return;
	*fresh = *old;
	bucket_convert(limit, fresh, sl_ticks(clock));
}

/* Makes the source's bucket. NULL: no more buckets may be made now. */
static __always_inline struct sl_bucket *bucket_make(const struct sl_limit *limit,
						     const struct sl_source *key,
						     struct sl_pace *pace, __u64 clock,
						     struct sl_limit_stats *stats)
{
	if (!pace_allows(&sl_tuning.inserts, &pace->inserts, kernel_ticks()))
		return NULL;
	pace->fresh = (struct sl_bucket){};
	bucket_inherit(limit, *key, clock, &pace->fresh);
	if (!bpf_map_update_elem(&sl_buckets, key, &pace->fresh, BPF_NOEXIST))
		stats->inserted++;
	return bpf_map_lookup_elem(&sl_buckets, key);
}

static __always_inline bool bucket_exempt(const struct sl_limit *limit, const struct limit_ask *ask)
{
	return limit->flags & SL_LIMIT_EXEMPT &&
	       access_find(&ask->source, ask->family, SL_LIST_EXEMPT | limit->number);
}

static __always_inline void tell_log(const struct limit_ask *ask, const struct sl_source *key,
				     __u64 clock, struct sl_limit_stats *stats)
{
	struct sl_pace *pace = own_pace();
	struct sl_event event = {
		.source = *key,
		.limit = ask->limit,
		.service = ask->service,
	};

	if (!pace || !pace_allows(&sl_tuning.events, &pace->events, sl_ticks(clock)) ||
	    bpf_ringbuf_output(&sl_events, &event, sizeof(event), 0))
		stats->unheard++;
}

/* Returns whether this is the source's first refusal since it was within the limit. */
static __always_inline bool note_refusal(struct sl_bucket *bucket, __u64 clock)
{
	__u32 second = sl_second(clock), over = bucket->over;
	bool first = (!over || second - bucket->last >= SL_LIMIT_CALM) &&
		     __sync_val_compare_and_swap(&bucket->over, over, second) == over;

	if (first)
		bucket->refused = 0;
	if (bucket->last != second)
		bucket->last = second;
	__sync_fetch_and_add(&bucket->refused, 1);
	return first;
}

/* The source's bucket; NULL: it has none, and none can be made now. While no more buckets
 * may be made, a tag of the gate says which sources have one: in a flood of sources that
 * come once, each look-up would be several cache misses for nothing.
 */
static __always_inline struct sl_bucket *bucket_find(const struct sl_limit *limit,
						     const struct sl_source *key,
						     const struct sl_gate_place *place,
						     struct sl_limit_stats *stats, __u64 *ret_clock)
{
	struct sl_gate_line *line = gate_line(place->line);
	struct sl_pace *pace = own_pace();
	struct sl_bucket *bucket;

	if (!line || !pace)
		return NULL;
	if (!pace_is_open(&sl_tuning.inserts, pace->inserts, kernel_ticks()) &&
	    !gate_has_tag(line, place->tag))
		return NULL;
	/* The exact clock: the packet may be refused. */
	*ret_clock = bpf_ktime_get_ns();
	bucket = bpf_map_lookup_elem(&sl_buckets, key);
	if (!bucket)
		return bucket_make(limit, key, pace, *ret_clock, stats);
	gate_put_tag(line, place->tag);
	return bucket;
}

static __always_inline struct sl_bucket *bucket_total(__u32 limit, __u64 *ret_clock)
{
	*ret_clock = bpf_ktime_get_ns();
	return bpf_map_lookup_elem(&sl_totals, &limit);
}

/* Whether the packet may pass; `key` is the bucket's. */
static __always_inline bool bucket_admits(const struct sl_limit *limit, const struct limit_ask *ask,
					  const struct sl_source *key,
					  const struct sl_gate_place *place, __u32 units,
					  struct sl_limit_stats *stats)
{
	bool shared = limit->flags & SL_LIMIT_PER_SERVICE;
	struct sl_bucket *bucket;
	__u64 clock;

	/* Exempt sources do not use up the units that the others share. */
	if (shared && bucket_exempt(limit, ask)) {
		stats->exempt++;
		return true;
	}
	bucket = shared ? bucket_total(ask->limit, &clock)
			: bucket_find(limit, key, place, stats, &clock);
	if (!bucket) {
		stats->pressure++;
		return !(limit->flags & SL_LIMIT_PRESSURE_REFUSES);
	}
	if (bucket_take(limit, bucket, units, sl_ticks(clock))) {
		stats->bucket++;
		return true;
	}
	if (!shared && bucket_exempt(limit, ask)) {
		stats->exempt++;
		return true;
	}
	if (note_refusal(bucket, clock))
		tell_log(ask, key, clock, stats);
	stats->refused++;
	return limit->flags & SL_LIMIT_DRY_RUN;
}

#endif
