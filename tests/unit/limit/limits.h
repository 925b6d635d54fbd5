/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits as a test says them.
 */
#ifndef SLUICE_TESTS_UNIT_LIMIT_LIMITS_H
#define SLUICE_TESTS_UNIT_LIMIT_LIMITS_H

#include "lib/config/config.h"
#include "lib/limit/limit.h"

static inline struct limit_config config_of(enum sl_limit_count count, struct rate rate,
					    unsigned long long burst)
{
	return (struct limit_config){
		.count = count,
		.rate = rate,
		.burst = burst,
		.prefix_v4 = 32,
		.prefix_v6 = 64,
	};
}

static inline struct sl_limit token_bucket(enum sl_limit_count count, struct rate rate,
					   unsigned long long burst)
{
	struct limit_config config = config_of(count, rate, burst);

	return limit_wire(&config);
}

static inline struct sl_limit window(enum sl_limit_algorithm algorithm, struct rate rate)
{
	struct limit_config config = config_of(SL_COUNT_PACKETS, rate, 0);

	config.algorithm = algorithm;
	return limit_wire(&config);
}

#endif
