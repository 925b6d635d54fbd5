/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the program under test has counted, read from the maps that it uses:
 * the bench's proof that the packets it timed went the way it says.
 */
#ifndef SLUICE_TESTS_BENCH_COUNTERS_H
#define SLUICE_TESTS_BENCH_COUNTERS_H

#include <stddef.h>

#include "sluice/abi.h"
#include "sluice/verdict.h"

struct diag;

/* Packets, summed over CPUs, both directions. */
struct counters {
	__u64 verdicts[SL_VERDICT_COUNT];
	__u64 services;  /* of all services together */
	__u64 *backends; /* of each index */
	size_t n_backends;
};

/* 0 or -errno and diag; counters_done() frees. */
int counters_read(int prog_fd, struct diag *diag, struct counters *ret_counters);
void counters_done(struct counters *counters);

/* How many backends counted more in `after`. */
size_t counters_backends_used(const struct counters *before, const struct counters *after);

extern const char *const verdict_names[SL_VERDICT_COUNT];

#endif
