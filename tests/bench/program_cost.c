/* SPDX-License-Identifier: BSD-2-Clause
 *
 * program-cost: what the XDP program costs per packet. Times the program that a
 * running daemon has pinned, scenario by scenario; program.py makes the
 * surroundings. Exit codes: 0 done, 1 failed or the packets went another way,
 * 2 misuse.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "tests/bench/number.h"
#include "tests/bench/report.h"

#define REPEAT_MAX 100000000
#define RUNS_MAX   1000

struct options {
	const char *prog, *scenarios, *json;
	const char *base; /* NULL, or another program to compare it with */
	unsigned ifindex, repeat, runs;
};

static const char usage[] =
	"usage: program-cost --prog PIN [--base PIN] --ifindex N --scenarios FILE\n"
	"                    [--repeat 1000000] [--runs 9] [--json FILE]\n";

static bool take_option(int option, struct options *options)
{
	switch (option) {
	case 'p':
		options->prog = optarg;
		return true;
	case 's':
		options->scenarios = optarg;
		return true;
	case 'j':
		options->json = optarg;
		return true;
	case 'b':
		options->base = optarg;
		return true;
	case 'i':
		return take_number(optarg, 1, INT32_MAX, &options->ifindex);
	case 'r':
		return take_number(optarg, 1, REPEAT_MAX, &options->repeat);
	case 'R':
		return take_number(optarg, 1, RUNS_MAX, &options->runs);
	default:
		return false;
	}
}

static bool parse_arguments(int argc, char **argv, struct options *ret_options)
{
	static const struct option known[] = {
		{ "prog", required_argument, NULL, 'p' },
		{ "ifindex", required_argument, NULL, 'i' },
		{ "scenarios", required_argument, NULL, 's' },
		{ "base", required_argument, NULL, 'b' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "runs", required_argument, NULL, 'R' },
		{ "json", required_argument, NULL, 'j' },
		{},
	};
	struct options options = { .repeat = 1000000, .runs = 9 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!take_option(option, &options))
			return false;
	if (optind != argc || !options.prog || !options.scenarios || !options.ifindex)
		return false;
	*ret_options = options;
	return true;
}

/* The last CPU that we may use: the first one gets most interrupts. */
static int stay_on_one_cpu(struct diag *diag)
{
	cpu_set_t allowed, one;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return diag_set(diag, errno, "sched_getaffinity: %m");
	while (cpu > 0 && !CPU_ISSET(cpu, &allowed))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return diag_set(diag, errno, "sched_setaffinity: %m");
	return 0;
}

struct measurements {
	struct measurement *rows;
	size_t n;
};

static void cleanup_measurements(struct measurements *measurements)
{
	for (size_t i = 0; i < measurements->n; i++)
		measurement_done(&measurements->rows[i]);
	free(measurements->rows);
}

/* Measures and prints; measurements are the caller's. */
static int measure_all(const struct measure_options *how, const struct scenario *scenarios,
		       size_t n_scenarios, struct diag *diag, struct measurements *measurements)
{
	measurements->rows = calloc(n_scenarios * SCENARIO_FLOWS_MAX, sizeof(struct measurement));
	if (!measurements->rows)
		return diag_set(diag, ENOMEM, "out of memory");
	report_table_head(how);
	for (size_t i = 0; i < n_scenarios; i++) {
		const struct scenario *scenario = &scenarios[i];

		for (size_t j = 0; j < scenario->n_flows; j++) {
			struct measurement *row = &measurements->rows[measurements->n];
			int error = measure(how, scenario, &scenario->flows[j], diag, row);

			if (error) {
				fprintf(stderr, "program-cost: %s with %u flows (0: flood):\n",
					scenario->name, scenario->flows[j].n);
				return error;
			}
			measurements->n++;
			report_table_row(
				how, row,
				report_one_flow(measurements->rows, measurements->n, scenario));
		}
	}
	return 0;
}

static int run_bench(const struct options *options, struct diag *diag)
{
	_cleanup_(cleanup_free) struct scenario *scenarios = NULL;
	_cleanup_(cleanup_measurements) struct measurements measurements = {};
	_cleanup_(cleanup_close) int prog_fd = bpf_obj_get(options->prog);
	_cleanup_(cleanup_close) int base_fd = options->base ? bpf_obj_get(options->base) : -1;
	struct measure_options how = {
		.prog_fd = prog_fd,
		.base_fd = base_fd,
		.ifindex = options->ifindex,
		.repeat = options->repeat,
		.runs = options->runs,
	};
	size_t n_scenarios = 0;

	if (prog_fd < 0 || (options->base && base_fd < 0))
		return diag_set(diag, errno, "cannot open %s: %m",
				prog_fd < 0 ? options->prog : options->base);

	int error = stay_on_one_cpu(diag) ?:
		    scenarios_load(options->scenarios, diag, &scenarios, &n_scenarios) ?:
		    measure_all(&how, scenarios, n_scenarios, diag, &measurements);

	if (error || !options->json)
		return error;

	struct report report = {
		.options = &how,
		.measurements = measurements.rows,
		.n = measurements.n,
	};

	return report_write_json(&report, options->json, diag);
}

int main(int argc, char **argv)
{
	struct options options;
	struct diag diag = {};

	if (!parse_arguments(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	if (run_bench(&options, &diag)) {
		fprintf(stderr, "program-cost: %s\n", diag.text);
		return 1;
	}
	return 0;
}
