/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times one scenario with one number of flows, and proves that the packets
 * went the way it says.
 */
#ifndef SLUICE_BENCH_MEASURE_H
#define SLUICE_BENCH_MEASURE_H

#include "tests/bench/scenario.h"

struct diag;

struct measure_options {
	int prog_fd;     /* the program under test */
	int ifindex;     /* where its packets arrive */
	unsigned repeat; /* packets in a run */
	unsigned runs;
};

/* Nanoseconds per packet. */
struct spread {
	double median, min, max;
};

struct measurement {
	const struct scenario *scenario;
	unsigned flows;
	struct spread generator; /* with the empty target */
	struct spread cost;      /* what the program adds to that */
};

/* 0 or -errno and diag: -EBADMSG when the packets went another way. */
int measure(const struct measure_options *options, const struct scenario *scenario, unsigned flows,
	    struct diag *diag, struct measurement *ret_measurement);

#endif
