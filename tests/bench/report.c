/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Figures are nanoseconds per packet. What can be compared between machines are
 * the ratios of one run. Whose machine it was is for the caller to add.
 */
#include "tests/bench/report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "tests/bench/counters.h"

#define FLOWS_TEXT_SIZE 20

static const char *flows_text(const struct scenario_flows *flows, char *buffer)
{
	if (flows->n == SCENARIO_FLOOD)
		return "flood";
	(void)snprintf(buffer, FLOWS_TEXT_SIZE, "%u%s", flows->n, flows->syn ? "-syn" : "");
	return buffer;
}

void report_table_head(const struct measure_options *options)
{
	if (options->base_fd >= 0)
		printf("%-26s %12s %8s %8s %8s\n", "scenario", "flows", "base ns", "ns", "change");
	else
		printf("%-26s %12s %8s %8s %8s %10s %10s\n", "scenario", "flows", "ns", "min",
		       "max", "/ 1 flow", "generator");
}

static void print_compared(const struct measurement *measurement)
{
	char flows[FLOWS_TEXT_SIZE];

	printf("%-26s %12s %8.1f %8.1f %+7.1f%%\n", measurement->scenario->name,
	       flows_text(&measurement->flows, flows), measurement->base.median,
	       measurement->cost.median,
	       100 * (measurement->cost.median / measurement->base.median - 1));
}

void report_table_row(const struct measure_options *options, const struct measurement *measurement,
		      const struct measurement *one_flow)
{
	char flows[FLOWS_TEXT_SIZE], ratio[16] = "-";

	if (one_flow && one_flow != measurement && one_flow->cost.median > 0)
		(void)snprintf(ratio, sizeof(ratio), "%.2f",
			       measurement->cost.median / one_flow->cost.median);
	if (options->base_fd >= 0)
		print_compared(measurement);
	else
		printf("%-26s %12s %8.1f %8.1f %8.1f %10s %10.1f\n", measurement->scenario->name,
		       flows_text(&measurement->flows, flows), measurement->cost.median,
		       measurement->cost.min, measurement->cost.max, ratio,
		       measurement->generator.median);
	(void)fflush(stdout);
}

const struct measurement *report_one_flow(const struct measurement *measurements, size_t n,
					  const struct scenario *scenario)
{
	for (size_t i = 0; i < n; i++)
		if (measurements[i].scenario == scenario && measurements[i].flows.n == 1)
			return &measurements[i];
	return NULL;
}

static json_t *spread_json(const struct spread *spread)
{
	return json_pack("{s:f, s:f, s:f}", "median", spread->median, "min", spread->min, "max",
			 spread->max);
}

static json_t *runs_json(const double *runs, unsigned n)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < n; i++)
		(void)json_array_append_new(array, json_real(runs[i]));
	return array;
}

static json_t *measurement_json(const struct report *report, const struct measurement *measurement)
{
	const struct measurement *one_flow =
		report_one_flow(report->measurements, report->n, measurement->scenario);
	char flows[FLOWS_TEXT_SIZE];
	json_t *object = json_pack("{s:s, s:s, s:s, s:f, s:o, s:o, s:o}", "scenario",
				   measurement->scenario->name, "flows",
				   flows_text(&measurement->flows, flows), "verdict",
				   verdict_names[measurement->scenario->verdict], "share",
				   measurement->share, "cost_ns", spread_json(&measurement->cost),
				   "generator_ns", spread_json(&measurement->generator), "runs_ns",
				   runs_json(measurement->cost_runs, measurement->n_runs));

	if (one_flow && one_flow->cost.median > 0)
		(void)json_object_set_new(
			object, "ratio_to_one_flow",
			json_real(measurement->cost.median / one_flow->cost.median));
	if (report->options->base_fd >= 0)
		(void)json_object_set_new(object, "base_runs_ns",
					  runs_json(measurement->base_runs, measurement->n_runs));
	return object;
}

/* Each part fails as NULL; what takes it then fails too. */
static json_t *report_json(const struct report *report)
{
	json_t *results = json_array();

	for (size_t i = 0; i < report->n; i++)
		(void)json_array_append_new(results,
					    measurement_json(report, &report->measurements[i]));
	return json_pack("{s:i, s:i, s:o}", "packets_per_run", report->options->repeat, "runs",
			 report->options->runs, "results", results);
}

int report_write_json(const struct report *report, const char *path, struct diag *diag)
{
	json_t *root = report_json(report);
	int error = !root                                                                 ? -ENOMEM
		    : json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ? -EIO
											  : 0;

	json_decref(root);
	return error ? diag_set(diag, -error, "cannot write %s", path) : 0;
}
