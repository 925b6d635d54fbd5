/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The generator runs in turn with the empty target and with the program under
 * test; a pair of neighbouring runs gives one difference, so that what else the
 * machine does weighs on both alike. Runs are long because each begins with the
 * kernel patching its XDP dispatcher: some 20 ms of waiting, and cold caches.
 */
#include "tests/bench/measure.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "generator.skel.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "tests/bench/counters.h"

#define FRAME_OUT_MAX 4096

/* How often a limit sees all of its sources until most are over it, at most. */
#define WARM_MAX 40

/* What a scenario of most packets has to reach. */
#define MOST 0.9

struct bench {
	const struct measure_options *options;
	const struct scenario *scenario;
	struct scenario_flows flows;
	struct generator_bpf *generator;
};

static void cleanup_generator(struct generator_bpf **generator)
{
	generator_bpf__destroy(*generator);
}

static void cleanup_counters(struct counters *counters)
{
	counters_done(counters);
}

static int set_target(const struct bpf_map *array, int prog_fd)
{
	__u32 index = 0;

	return bpf_map_update_elem(bpf_map__fd(array), &index, &prog_fd, BPF_ANY) ? -errno : 0;
}

/* With the XDP flags that it and the program under test must agree on. */
static int load_with_flags(const struct generator_config *config, __u32 flags,
			   const struct measure_options *options,
			   struct generator_bpf **ret_generator)
{
	_cleanup_(cleanup_generator) struct generator_bpf *generator = generator_bpf__open();
	struct bpf_program *program;
	int error = 0;

	if (!generator)
		return -errno;
	memcpy((void *)&generator->rodata->config, config, sizeof(*config));
	bpf_object__for_each_program(program, generator->obj) error =
		error ?: bpf_program__set_flags(program, flags);
	error = error ?: generator_bpf__load(generator);
	error = error
			?: set_target(generator->maps.empty_target,
				      bpf_program__fd(generator->progs.empty));
	error = error ?: set_target(generator->maps.program_target, options->prog_fd);
	if (options->base_fd >= 0)
		error = error ?: set_target(generator->maps.base_target, options->base_fd);
	if (error)
		return error;
	*ret_generator = TAKE_PTR(generator);
	return 0;
}

/* The kernel lets a program call only one that agrees with it on fragmented
 * frames, and does not tell which kind a loaded one is.
 */
static int load_generator(const struct generator_config *config,
			  const struct measure_options *options, struct diag *diag,
			  struct generator_bpf **ret_generator)
{
	int error = load_with_flags(config, 0, options, ret_generator);

	if (error)
		error = load_with_flags(config, BPF_F_XDP_HAS_FRAGS, options, ret_generator);
	return error ? diag_set(diag, -error,
				"the generator cannot be loaded or call the program: %s",
				strerror(-error))
		     : 0;
}

/* CPU time of this thread: as the kernel's own figure it leaves out the time in
 * which others had the CPU, but it is not cut to whole nanoseconds per packet.
 */
static double cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* What a run of packets has to end in. */
struct ending {
	unsigned action;
	bool rewritten; /* an Ethernet header of its own */
	bool any;       /* it says nothing of the others: not looked at */
};

static int check_last(const struct ending *ending, unsigned action, const __u8 *frame,
		      struct diag *diag)
{
	if (ending->any)
		return 0;
	if (action != ending->action)
		return diag_set(diag, EBADMSG, "XDP action %u, wanted %u", action, ending->action);
	if (ending->rewritten != !!memcmp(frame, frame_dst_mac, sizeof(frame_dst_mac)))
		return diag_set(diag, EBADMSG, "the frame's destination MAC is %s",
				ending->rewritten ? "unchanged" : "changed");
	return 0;
}

/* One run: *ret_ns per packet. */
static int run(const struct bench *bench, const struct bpf_program *program,
	       const struct ending *ending, struct diag *diag, double *ret_ns)
{
	const struct generator_bpf *generator = bench->generator;
	__u32 length = GENERATOR_ETH_SIZE + 8 * generator->rodata->config.words;
	struct xdp_md context = { .data_end = length, .ingress_ifindex = bench->options->ifindex };
	__u8 out[FRAME_OUT_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		    .data_in = (const void *)generator->rodata->config.frame,
		    .data_size_in = length, .data_out = out, .data_size_out = sizeof(out),
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = bench->options->repeat);
	double start = cpu_ns();
	int error = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	double end = cpu_ns();

	if (error)
		return diag_set(diag, -error, "BPF_PROG_TEST_RUN: %s", strerror(-error));
	if (generator->bss->failed)
		return diag_set(diag, EBADMSG, "%llu frames could not be made",
				(unsigned long long)generator->bss->failed);
	*ret_ns = (end - start) / bench->options->repeat;
	return check_last(ending, opts.retval, out, diag);
}

static int run_empty(const struct bench *bench, struct diag *diag, double *ret_ns)
{
	const struct ending ending = { .action = XDP_TX };

	return run(bench, bench->generator->progs.generate_only, &ending, diag, ret_ns);
}

static int run_program(const struct bench *bench, const struct bpf_program *program,
		       struct diag *diag, double *ret_ns)
{
	const struct scenario *scenario = bench->scenario;
	const struct ending ending = {
		.action = scenario->action,
		.rewritten = scenario->action == XDP_TX || scenario->action == XDP_REDIRECT,
		.any = scenario->mostly,
	};

	return run(bench, program, &ending, diag, ret_ns);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Leaves the values in their order, which tells what was measured beside what. */
static int spread_of(const double *values, size_t n, struct spread *ret_spread)
{
	_cleanup_(cleanup_free) double *sorted = calloc(n, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	*ret_spread = (struct spread){
		.median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2,
		.min = sorted[0],
		.max = sorted[n - 1],
	};
	return 0;
}

/* One round: the generator alone, the program, and the one that it is compared with;
 * these two in turn first.
 */
static int time_round(const struct bench *bench, unsigned i, struct diag *diag,
		      double *ret_generator, double *ret_cost, double *ret_base)
{
	const struct bpf_program *program = bench->generator->progs.generate;
	const struct bpf_program *base = bench->generator->progs.generate_for_base;
	bool compares = bench->options->base_fd >= 0;
	double generator = 0, cost = 0, of_base = 0;
	int error = run_empty(bench, diag, &generator);

	if (compares && i % 2)
		error = error ?: run_program(bench, base, diag, &of_base);
	error = error ?: run_program(bench, program, diag, &cost);
	if (compares && i % 2 == 0)
		error = error ?: run_program(bench, base, diag, &of_base);
	*ret_generator = generator;
	*ret_cost = cost - generator;
	*ret_base = of_base - generator;
	return error;
}

static int time_runs(const struct bench *bench, struct diag *diag, struct measurement *measurement)
{
	unsigned runs = bench->options->runs;
	_cleanup_(cleanup_free) double *generator = calloc(runs, sizeof(double));
	int error = 0;

	measurement->cost_runs = calloc(runs, sizeof(double));
	measurement->base_runs = calloc(runs, sizeof(double));
	measurement->n_runs = runs;
	if (!generator || !measurement->cost_runs || !measurement->base_runs)
		return diag_set(diag, ENOMEM, "out of memory");
	for (unsigned i = 0; i < runs && !error; i++)
		error = time_round(bench, i, diag, &generator[i], &measurement->cost_runs[i],
				   &measurement->base_runs[i]);
	if (error)
		return error;
	if (spread_of(generator, runs, &measurement->generator) ||
	    spread_of(measurement->cost_runs, runs, &measurement->cost) ||
	    spread_of(measurement->base_runs, runs, &measurement->base))
		return diag_set(diag, ENOMEM, "out of memory");
	return 0;
}

static double share_of(const struct bench *bench, const struct counters *before,
		       const struct counters *after, unsigned rounds)
{
	enum sl_verdict verdict = bench->scenario->verdict;

	return (double)(after->verdicts[verdict] - before->verdicts[verdict]) /
	       bench->options->repeat / rounds;
}

/* All flows, `rounds` times. */
static int warm_rounds(const struct bench *bench, unsigned rounds, struct diag *diag,
		       double *ret_share)
{
	_cleanup_(cleanup_counters) struct counters before = {};
	_cleanup_(cleanup_counters) struct counters after = {};
	int error = counters_read(bench->options->prog_fd, diag, &before);
	double ignored;

	for (unsigned i = 0; i < rounds && !error; i++)
		error = time_round(bench, i, diag, &ignored, &ignored, &ignored);
	error = error ?: counters_read(bench->options->prog_fd, diag, &after);
	if (!error)
		*ret_share = share_of(bench, &before, &after, rounds);
	return error;
}

/* Untimed rounds first: they fill caches, and the limit's map, until most sources are
 * over it where that is wanted.
 */
static int warm_up(const struct bench *bench, struct diag *diag)
{
	unsigned repeat = bench->options->repeat;
	unsigned rounds = bench->flows.n ? (bench->flows.n + repeat - 1) / repeat : 1;
	double share = 0;
	int error = 0;

	for (unsigned i = 0; i < WARM_MAX && !error && (!i || share < MOST); i++) {
		error = warm_rounds(bench, rounds, diag, &share);
		if (!bench->scenario->mostly)
			break;
	}
	return error;
}

static int check_most(const struct bench *bench, const struct counters *before,
		      const struct counters *after, struct diag *diag)
{
	const struct scenario *scenario = bench->scenario;
	__u64 packets = (__u64)bench->options->repeat * bench->options->runs;
	__u64 got = after->verdicts[scenario->verdict] - before->verdicts[scenario->verdict];
	__u64 forwarded = after->verdicts[SL_FORWARDED] - before->verdicts[SL_FORWARDED];

	if (got + forwarded != packets || got < MOST * packets)
		return diag_set(diag, EBADMSG,
				"%llu of %llu packets counted as %s, %llu as forwarded; wanted at "
				"least %.0f %% and the others",
				(unsigned long long)got, (unsigned long long)packets,
				verdict_names[scenario->verdict], (unsigned long long)forwarded,
				100 * MOST);
	return 0;
}

/* Every packet, no other way out, counted for its service, spread over the
 * backends: over all of them, or where there are many services, over most.
 */
static int check_every(const struct bench *bench, const struct counters *before,
		       const struct counters *after, struct diag *diag)
{
	const struct scenario *scenario = bench->scenario;
	__u64 packets = (__u64)bench->options->repeat * bench->options->runs;
	__u64 served = scenario->action == XDP_PASS ? 0 : packets;
	bool single = bench->flows.n == 1 && scenario->frame.spread == 1;
	size_t wanted = single && scenario->n_backends ? 1 : scenario->n_backends;
	size_t used = counters_backends_used(before, after);

	for (int i = SL_NEXT + 1; i < SL_VERDICT_COUNT; i++) {
		__u64 want = i == (int)scenario->verdict ? packets : 0;
		__u64 got = after->verdicts[i] - before->verdicts[i];

		if (got != want)
			return diag_set(diag, EBADMSG, "%llu packets counted as %s, wanted %llu",
					(unsigned long long)got, verdict_names[i],
					(unsigned long long)want);
	}
	if (after->services - before->services != served)
		return diag_set(diag, EBADMSG, "%llu packets counted for services, wanted %llu",
				(unsigned long long)(after->services - before->services),
				(unsigned long long)served);
	if (used > wanted || used < (scenario->frame.spread > 1 ? wanted / 2 : wanted))
		return diag_set(diag, EBADMSG, "%zu backends had packets, wanted %zu", used,
				wanted);
	return 0;
}

static void make_config(const struct scenario *scenario, const struct scenario_flows *flows,
			struct generator_config *ret_config)
{
	struct frame frame = scenario->frame;

	frame.syn = flows->syn && frame.proto == IPPROTO_TCP;
	frame_make(&frame, ret_config);
	ret_config->flow_mask = flows->n != SCENARIO_FLOOD          ? flows->n - 1
				: frame.ip.family == SL_FAMILY_IPV4 ? FRAME_FLOWS_IPV4 - 1
								    : ~0U;
}

int measure(const struct measure_options *options, const struct scenario *scenario,
	    const struct scenario_flows *flows, struct diag *diag,
	    struct measurement *ret_measurement)
{
	_cleanup_(measurement_done) struct measurement measurement = { .scenario = scenario,
								       .flows = *flows };
	struct bench bench = { .options = options, .scenario = scenario, .flows = *flows };
	_cleanup_(cleanup_generator) struct generator_bpf *generator = NULL;
	_cleanup_(cleanup_counters) struct counters before = {};
	_cleanup_(cleanup_counters) struct counters after = {};
	struct generator_config config;

	make_config(scenario, flows, &config);

	int error = load_generator(&config, options, diag, &generator);

	bench.generator = generator;
	error = error ?: warm_up(&bench, diag);
	error = error ?: counters_read(options->prog_fd, diag, &before);
	error = error ?: time_runs(&bench, diag, &measurement);
	error = error ?: counters_read(options->prog_fd, diag, &after);
	if (error)
		return error;
	error = scenario->mostly ? check_most(&bench, &before, &after, diag)
				 : check_every(&bench, &before, &after, diag);
	if (error)
		return error;
	measurement.share = share_of(&bench, &before, &after, options->runs);
	*ret_measurement = measurement;
	measurement = (struct measurement){};
	return 0;
}

void measurement_done(struct measurement *measurement)
{
	free(measurement->cost_runs);
	free(measurement->base_runs);
	*measurement = (struct measurement){};
}
