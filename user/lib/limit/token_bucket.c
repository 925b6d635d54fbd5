// SPDX-License-Identifier: BSD-2-Clause
/* token-bucket: a rate and a burst, counted by GCRA (sluice/gcra.h). The state is one
 * word, the theoretical arrival time.
 */
#include "lib/config/config.h"
#include "lib/limit/algorithm.h"
#include "lib/limit/limit.h"
#include "lib/limit/ticks.h"
#include "sluice/gate.h"
#include "sluice/gcra.h"
#include "sluice/second.h"

/* Products of ticks and units, or of ticks and 2^shift. */
typedef unsigned __int128 wide;

#define TICKS_MAX      (1ULL << 62) /* of a bucket: with the gate's share still a difference */
#define GATE_DEPTH_MAX (SL_TICKS_AHEAD / 2) /* of the bucket; the cell's cap is a quarter more */
#define UNITS_MAX      65535ULL             /* of one packet */
#define SHIFT_MAX      24

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

/* The ticks per unit, in 2^-*ret_shift of them; 0: no bucket can count that rate. A
 * fraction is of use where units are added up: of single ones it would be cut off.
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

/* The most units that cost no more than `ticks`. */
static unsigned long long ticks_to_units(const struct sl_limit *limit, unsigned long long ticks)
{
	if (!limit->rate.interval)
		return 0;
	return (unsigned long long)(((((wide)ticks + 1) << limit->shift) - 1) /
				    limit->rate.interval);
}

static void wire(const struct limit_config *config, struct sl_limit *limit)
{
	unsigned long long depth;

	limit->rate.interval = rate_interval(&config->rate, config->count, &limit->shift);
	depth = units_to_ticks(limit, config->burst);
	limit->rate.depth = depth;
	if (config->per_service)
		return;
	/* A source gets what the gate admits beside what its bucket admits: a small share.
	 * Where that is not a unit, all sources have buckets, and get their burst to the
	 * letter. So they do where a cell would owe for longer than cells can.
	 */
	if (depth / 4 < sl_gate_cost(units_to_ticks(limit, 1)) || depth > GATE_DEPTH_MAX)
		return;
	limit->gate_depth = depth / 4;
	/* The gate is charged up to a whole burst beyond dry: it is then ready again no
	 * sooner than the bucket is full, and no source gains by a pause.
	 */
	limit->gate_cap = limit->gate_depth + at_least(depth, TICKS_PER_SECOND);
}

/* ---- the state ------------------------------------------------------------------ */

static unsigned long long whole(const struct sl_limit *limit)
{
	return ticks_to_units(limit, limit->rate.depth);
}

static unsigned long long owed_ticks(const struct sl_limit *limit, const struct sl_bucket *bucket,
				     unsigned long long now)
{
	return sl_gcra_owed(bucket->state[0], now, sl_gcra_most(limit->rate.depth));
}

static unsigned long long used(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now)
{
	unsigned long long depth = limit->rate.depth;
	unsigned long long left = depth - at_most(owed_ticks(limit, bucket, now), depth);

	return ticks_to_units(limit, depth) - ticks_to_units(limit, left);
}

static unsigned long long wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				  unsigned long long now, unsigned long long units)
{
	unsigned long long most = limit->rate.depth - units_to_ticks(limit, units);
	unsigned long long owed = owed_ticks(limit, bucket, now);

	return owed > most ? whole_ns(owed - most) : 0;
}

static unsigned long long window_ns(const struct sl_limit *limit)
{
	return whole_ns(limit->rate.depth);
}

static void owe_gate(const struct sl_limit *limit, struct sl_bucket *bucket, unsigned long long now)
{
	bucket->state[0] = now + limit->gate_depth;
}

/* ---- the next generation --------------------------------------------------------- */

/* In SL_SECONDs: after them no bucket of the limit owes anything. */
static unsigned paid_after(const struct sl_limit *limit)
{
	return sl_second(limit->rate.depth >> SL_TICK_SHIFT) + 2;
}

static void replace(const struct sl_limit *old, unsigned now, struct sl_limit *limit)
{
	limit->replaced = old->id;
	limit->replaced_until = now + paid_after(old);
	limit->replaced_interval = old->rate.interval >> old->shift ?: 1;
}

static void convert(const struct sl_limit *limit, struct sl_bucket *bucket, unsigned long long now)
{
	bucket->state[0] = sl_gcra_convert(limit, bucket->state[0], now);
}

const struct limit_algorithm limit_token_bucket = {
	.has_burst = true,
	.wire = wire,
	.whole = whole,
	.used = used,
	.wait_ns = wait_ns,
	.window_ns = window_ns,
	.owe_gate = owe_gate,
	.replace = replace,
	.convert = convert,
};
