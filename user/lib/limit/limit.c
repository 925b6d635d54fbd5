// SPDX-License-Identifier: BSD-2-Clause
/* A bucket's state is read as the program reads it, to the unit and the nanosecond:
 * both go by the arithmetic of include/sluice.
 */
#include "lib/limit/limit.h"

#include "lib/config/config.h"
#include "lib/limit/algorithm.h"
#include "lib/limit/ticks.h"
#include "sluice/source.h"

bool limit_has_burst(enum sl_limit_algorithm algorithm)
{
	const struct limit_algorithm *row = limit_algorithm(algorithm);

	return row && row->has_burst;
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

	limit_algorithm(config->algorithm)->wire(config, &limit);
	return limit;
}

unsigned long long limit_wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				 unsigned long long now, unsigned long long units)
{
	const struct limit_algorithm *row = limit_algorithm(limit->algorithm);

	return row ? row->wait_ns(limit, bucket, now, at_most(units, row->whole(limit))) : 0;
}

struct limit_state limit_state(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now)
{
	const struct limit_algorithm *row = limit_algorithm(limit->algorithm);
	struct limit_state state = {};

	if (!row)
		return state;
	state.limit = row->whole(limit);
	state.remaining = state.limit - at_most(row->used(limit, bucket, now), state.limit);
	state.reset_ns = row->wait_ns(limit, bucket, now, state.limit);
	state.window_ns = row->window_ns(limit);
	return state;
}

struct sl_bucket limit_gate_bucket(const struct sl_limit *limit, unsigned long long now)
{
	const struct limit_algorithm *row = limit_algorithm(limit->algorithm);
	struct sl_bucket bucket = {};

	if (row && row->owe_gate)
		row->owe_gate(limit, &bucket, now);
	return bucket;
}

struct sl_source limit_source(const struct sl_limit *limit, const struct sl_addr *addr, __u8 family)
{
	return sl_limit_source(limit, addr, family, limit->id);
}
