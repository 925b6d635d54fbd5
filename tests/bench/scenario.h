/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the bench measures: one line of the scenario file for each frame, one
 * measurement for each number of flows on it.
 */
#ifndef SLUICE_TESTS_BENCH_SCENARIO_H
#define SLUICE_TESTS_BENCH_SCENARIO_H

#include <stddef.h>

#include "sluice/verdict.h"
#include "tests/bench/frame.h"

struct diag;

#define SCENARIO_NAME_MAX  47
#define SCENARIO_FLOWS_MAX 8
#define SCENARIO_FLOOD     0 /* as a number of flows: a new source for each packet */

struct scenario {
	char name[SCENARIO_NAME_MAX + 1];
	struct frame frame;      /* syn is unset: the flows say it */
	enum sl_verdict verdict; /* what must become of every packet... */
	unsigned action;         /* ...and the XDP action that goes with it */
	bool mostly;             /* not of every one: of most, and the others are forwarded */
	size_t n_backends;       /* how many must take part where there are flows enough */
	struct scenario_flows {
		unsigned n; /* a power of two, or SCENARIO_FLOOD */
		bool syn;   /* new connections; a flood always is of them */
	} flows[SCENARIO_FLOWS_MAX];
	size_t n_flows;
};

/* Reads lines of
 *
 *	NAME tcp|udp to|from ADDRESS[+N] PORT [~]VERDICT TX|REDIRECT|PASS|DROP BACKENDS FLOWS...
 *
 * "to" a service, or "from" a backend; +N: N addresses, from that one on; ~: see
 * `mostly`; FLOWS: a power of two, one with "-syn" behind it, or "flood". Empty lines and lines that start with # are skipped. *ret_scenarios is the caller's
 * to free. 0 or -errno and diag.
 */
int scenarios_load(const char *path, struct diag *diag, struct scenario **ret_scenarios,
		   size_t *ret_n);

#endif
