// SPDX-License-Identifier: BSD-2-Clause
/* A configured limit as the program wants it, and back: what its state means. What
 * is told here agrees with the program to the unit and the nanosecond, for both
 * go by sluice/gcra.h and sluice/window.h.
 */
#include "lib/limit/limit.h"

#include <endian.h>

#include "lib/config/config.h"
#include "sluice/gate.h"
#include "sluice/gcra.h"
#include "sluice/window.h"

/* Products of ticks and units, or of ticks and 2^shift. */
typedef unsigned __int128 wide;

#define TICKS_PER_SECOND (1000000000ULL << SL_TICK_SHIFT)
#define TICKS_PER_NS     (1ULL << SL_TICK_SHIFT)
#define TICKS_MAX        (1ULL << 62) /* of a bucket: with the gate's share still a difference */
#define UNITS_MAX        65535ULL     /* of one packet */
#define SHIFT_MAX        24

/* Fewer ticks per unit distort the rate: they are rounded for each packet, which is
 * one unit or (bytes) some dozens at least.
 */
#define PACKET_INTERVAL_MIN 16
#define BYTE_INTERVAL_MIN   1

/* Whether a packet can cost more than one unit. */
static bool has_sizes(enum sl_limit_count count)
{
	return count == SL_COUNT_BYTES;
}

static wide divide_nearest(wide dividend, unsigned long long divisor)
{
	return (dividend + divisor / 2) / divisor;
}

/* Ticks per unit, in 2^-*ret_shift of them; 0: no bucket can count that. A fraction
 * is of use where units are added up: of single ones it would be cut off.
 */
static unsigned long long rate_interval(const struct rate *rate, enum sl_limit_count count,
					__u8 *ret_shift)
{
	wide period = (wide)rate->seconds * TICKS_PER_SECOND, interval;
	unsigned long long most = has_sizes(count) ? (1ULL << 63) / UNITS_MAX : TICKS_MAX;
	unsigned long long least = has_sizes(count) ? BYTE_INTERVAL_MIN : PACKET_INTERVAL_MIN;
	__u8 shift = has_sizes(count) ? SHIFT_MAX : 0;

	if (period / rate->count < least)
		return 0;
	for (;; shift--) {
		interval = divide_nearest(period << shift, rate->count);
		if (interval < most || !shift)
			break;
	}
	*ret_shift = shift;
	return interval < most ? (unsigned long long)interval : 0;
}

unsigned long long limit_max_burst(const struct rate *rate, enum sl_limit_count count)
{
	unsigned long long interval;
	__u8 shift;

	interval = rate_interval(rate, count, &shift);
	return interval ? (unsigned long long)(((wide)TICKS_MAX << shift) / interval) : 0;
}

static unsigned long long units_to_ticks(const struct sl_limit *limit, unsigned long long units)
{
	return (unsigned long long)((wide)units * limit->rate.interval >> limit->shift);
}

/* The most units that cost no more. */
static unsigned long long ticks_to_units(const struct sl_limit *limit, unsigned long long ticks)
{
	if (!limit->rate.interval)
		return 0;
	return (unsigned long long)(((((wide)ticks + 1) << limit->shift) - 1) /
				    limit->rate.interval);
}

static unsigned long long at_least(unsigned long long value, unsigned long long least)
{
	return value < least ? least : value;
}

static unsigned long long at_most(unsigned long long value, unsigned long long most)
{
	return value > most ? most : value;
}

static void wire_tokens(const struct limit_config *config, struct sl_limit *limit)
{
	unsigned long long depth;

	limit->rate.interval = rate_interval(&config->rate, config->count, &limit->shift);
	depth = units_to_ticks(limit, config->burst);
	limit->rate.depth = depth;
	if (config->per_service)
		return;
	/* What a source gets from the gate it gets beside its bucket: a small share. Where
	 * that is not a unit, all have buckets, and get their burst to the letter.
	 */
	if (depth / 4 < sl_gate_cost(units_to_ticks(limit, 1)))
		return;
	limit->gate_depth = depth / 4;
	/* Up to a whole burst beyond dry: then the gate, which is ready again once that
	 * is drained, is so no sooner than the bucket is full, and nobody gains by a
	 * pause.
	 */
	limit->gate_cap = limit->gate_depth + at_least(depth, TICKS_PER_SECOND);
}

struct sl_limit limit_wire(const struct limit_config *config)
{
	struct sl_limit limit = {
		.count = config->count,
		.algorithm = config->algorithm,
		.action = config->action,
		.flags = (config->dry_run ? SL_LIMIT_DRY_RUN : 0) |
			 (config->per_service ? SL_LIMIT_PER_SERVICE : 0) |
			 (config->exempt.n ? SL_LIMIT_EXEMPT : 0) |
			 (config->pressure_refuses ? SL_LIMIT_PRESSURE_REFUSES : 0),
		.prefix_v4 = (__u8)config->prefix_v4,
		.prefix_v6 = (__u8)config->prefix_v6,
	};

	if (config->algorithm == SL_ALGORITHM_TOKEN_BUCKET) {
		wire_tokens(config, &limit);
		return limit;
	}
	limit.rate.interval = config->rate.seconds * TICKS_PER_SECOND;
	/* More is no limit, and a packet's units still fit into the word on top of it. */
	limit.rate.depth = at_most(config->rate.count, SL_WINDOW_UNITS_MAX >> 1);
	return limit;
}

/* ---- what a bucket's state means ------------------------------------------- */

/* Units that the sliding window ending at `now` counts. */
static unsigned long long sliding_used(const struct sl_limit *limit, const struct sl_bucket *bucket,
				       unsigned long long now)
{
	unsigned long long length = at_least(limit->rate.interval / SL_WINDOW_PARTS, 1);
	unsigned long long number = now / length, used = 0;

	for (unsigned i = 0; i <= SL_WINDOW_PARTS; i++) {
		__u64 word = bucket->state[i], units = word & SL_WINDOW_UNITS_MAX;
		__u64 age = (number - (word >> SL_WINDOW_UNITS_BITS)) & SL_WINDOW_NUMBER_MAX;

		if (age == SL_WINDOW_PARTS)
			units = sl_window_leaving(units, limit->rate.depth, now - number * length,
						  length);
		if (age <= SL_WINDOW_PARTS)
			used += units;
	}
	return used;
}

/* Units of the limit that are used up, rounded up. */
static unsigned long long used_units(const struct sl_limit *limit, const struct sl_bucket *bucket,
				     unsigned long long now)
{
	unsigned long long window = at_least(limit->rate.interval, 1);
	unsigned long long depth = limit->rate.depth, owed;

	switch ((enum sl_limit_algorithm)limit->algorithm) {
	case SL_ALGORITHM_TOKEN_BUCKET:
		owed = at_most(sl_gcra_base(bucket->state[0], now) - now, depth);
		return ticks_to_units(limit, depth) - ticks_to_units(limit, depth - owed);
	case SL_ALGORITHM_FIXED_WINDOW:
		return sl_window_units(bucket->state[0], now / window);
	case SL_ALGORITHM_SLIDING_WINDOW:
		return sliding_used(limit, bucket, now);
	}
	return 0;
}

/* The units of a full bucket or an empty window. */
static unsigned long long whole_limit(const struct sl_limit *limit)
{
	return limit->algorithm == SL_ALGORITHM_TOKEN_BUCKET
		       ? ticks_to_units(limit, limit->rate.depth)
		       : limit->rate.depth;
}

static unsigned long long whole_ns(unsigned long long ticks)
{
	return ticks / TICKS_PER_NS + (ticks % TICKS_PER_NS != 0);
}

/* Until no more than so many units are used up. Nothing else being sent they only
 * become fewer, and are gone after a window and its leaving part.
 */
static unsigned long long window_wait_ns(const struct sl_limit *limit,
					 const struct sl_bucket *bucket, unsigned long long now,
					 unsigned long long units)
{
	unsigned long long early = 0, late, middle;

	if (used_units(limit, bucket, now) <= units)
		return 0;
	late = whole_ns(limit->rate.interval + limit->rate.interval / SL_WINDOW_PARTS);
	while (late - early > 1) {
		middle = early + (late - early) / 2;
		if (used_units(limit, bucket, now + sl_ticks(middle)) <= units)
			late = middle;
		else
			early = middle;
	}
	return late;
}

/* Until the bucket owes no more than so many ticks. */
static unsigned long long bucket_wait_ns(const struct sl_bucket *bucket, unsigned long long now,
					 unsigned long long ticks)
{
	unsigned long long owed = sl_gcra_base(bucket->state[0], now) - now;

	return owed > ticks ? whole_ns(owed - ticks) : 0;
}

unsigned long long limit_wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				 unsigned long long now, unsigned long long units)
{
	units = at_most(units, whole_limit(limit));
	if (limit->algorithm != SL_ALGORITHM_TOKEN_BUCKET)
		return window_wait_ns(limit, bucket, now, limit->rate.depth - units);
	return bucket_wait_ns(bucket, now, limit->rate.depth - units_to_ticks(limit, units));
}

struct limit_state limit_state(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now)
{
	struct limit_state state = { .limit = whole_limit(limit) };

	state.remaining = state.limit - at_most(used_units(limit, bucket, now), state.limit);
	state.reset_ns = limit->algorithm == SL_ALGORITHM_TOKEN_BUCKET
				 ? bucket_wait_ns(bucket, now, 0)
				 : window_wait_ns(limit, bucket, now, 0);
	return state;
}

/* The bits of a half of an address, in network order, that a prefix covers. */
static __u64 prefix_half(unsigned bits)
{
	if (!bits)
		return 0;
	return bits >= 64 ? ~0ULL : htobe64(~0ULL << (64 - bits));
}

struct sl_source limit_source(const struct sl_limit *limit, const struct sl_addr *addr, __u8 family)
{
	/* An IPv4 address is the last 32 bits of a mapped one. */
	unsigned bits = family == SL_FAMILY_IPV4 ? 96U + limit->prefix_v4 : limit->prefix_v6;
	struct sl_source source = { .addr = *addr, .id = limit->id, .family = family };

	source.addr.halves[0] &= prefix_half(bits);
	source.addr.halves[1] &= bits > 64 ? prefix_half(bits - 64) : 0;
	return source;
}
