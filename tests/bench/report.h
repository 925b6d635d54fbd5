/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bench's results, for people and for programs.
 */
#ifndef SLUICE_TESTS_BENCH_REPORT_H
#define SLUICE_TESTS_BENCH_REPORT_H

#include "tests/bench/measure.h"

struct diag;

struct report {
	const struct measure_options *options;
	const struct measurement *measurements;
	size_t n;
};

void report_table_head(const struct measure_options *options);

/* One line of the table; one_flow: the same scenario with one flow, or NULL. */
void report_table_row(const struct measure_options *options, const struct measurement *measurement,
		      const struct measurement *one_flow);

/* The measurement of the same scenario with one flow, or NULL. */
const struct measurement *report_one_flow(const struct measurement *measurements, size_t n,
					  const struct scenario *scenario);

/* 0 or -errno and diag. */
int report_write_json(const struct report *report, const char *path, struct diag *diag);

#endif
