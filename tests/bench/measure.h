/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times one scenario with one number of flows, and proves that the packets
 * went the way it says.
 */
#ifndef SLUICE_TESTS_BENCH_MEASURE_H
#define SLUICE_TESTS_BENCH_MEASURE_H

#include "tests/bench/scenario.h"

struct diag;

struct measure_options {
	int prog_fd;     /* the program under test */
	int base_fd;     /* another one to compare it with; -1: none */
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
	struct scenario_flows flows;
	struct spread generator; /* with the empty target */
	struct spread cost;      /* what the program adds to that */
	struct spread base;      /* the same of the other one, if there is one */
	double share;            /* of the packets, that got the scenario's verdict */
	double *cost_runs;       /* of each run; base_runs[i] was measured beside it */
	double *base_runs;
	unsigned n_runs;
};

/* 0 or -errno and diag: -EBADMSG when the packets went another way. Of the packets of
 * base_fd only the last of each run is looked at: it may count otherwise. */
int measure(const struct measure_options *options, const struct scenario *scenario,
	    const struct scenario_flows *flows, struct diag *diag,
	    struct measurement *ret_measurement);

/* Frees what measure() has left there. */
void measurement_done(struct measurement *measurement);

#endif
