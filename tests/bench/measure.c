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
#include "lib/cleanup.h"
#include "lib/diag.h"
#include "tests/bench/counters.h"

#define FRAME_OUT_MAX 4096

struct bench {
	const struct measure_options *options;
	const struct scenario *scenario;
	unsigned flows;
	struct generator_bpf *generator;
	__u64 packets; /* given to the program under test */
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
static int load_with_flags(const struct generator_config *config, __u32 flags, int prog_fd,
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
	error = error ?: set_target(generator->maps.program_target, prog_fd);
	if (error)
		return error;
	*ret_generator = TAKE_PTR(generator);
	return 0;
}

/* The kernel lets a program call only one that agrees with it on fragmented
 * frames, and does not tell which kind a loaded one is.
 */
static int load_generator(const struct generator_config *config, int prog_fd, struct diag *diag,
			  struct generator_bpf **ret_generator)
{
	int error = load_with_flags(config, 0, prog_fd, ret_generator);

	if (error)
		error = load_with_flags(config, BPF_F_XDP_HAS_FRAGS, prog_fd, ret_generator);
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

/* One run: *ret_ns per packet. The last packet must have got `action`, and an
 * Ethernet header of its own if it is `rewritten`.
 */
static int run(const struct bench *bench, const struct bpf_program *program, unsigned action,
	       bool rewritten, struct diag *diag, double *ret_ns)
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
	if (opts.retval != action)
		return diag_set(diag, EBADMSG, "XDP action %u, wanted %u", opts.retval, action);
	if (rewritten != !!memcmp(out, frame_dst_mac, sizeof(frame_dst_mac)))
		return diag_set(diag, EBADMSG, "the frame's destination MAC is %s",
				rewritten ? "unchanged" : "changed");
	*ret_ns = (end - start) / bench->options->repeat;
	return 0;
}

static int run_empty(const struct bench *bench, struct diag *diag, double *ret_ns)
{
	return run(bench, bench->generator->progs.generate_only, XDP_TX, false, diag, ret_ns);
}

static int run_program(struct bench *bench, struct diag *diag, double *ret_ns)
{
	unsigned action = bench->scenario->action;

	bench->packets += bench->options->repeat;
	return run(bench, bench->generator->progs.generate, action, action != XDP_PASS, diag,
		   ret_ns);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static struct spread spread_of(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return (struct spread){
		.median = (values[(n - 1) / 2] + values[n / 2]) / 2,
		.min = values[0],
		.max = values[n - 1],
	};
}

/* One untimed round first: it fills caches, and the limit's map. */
static int time_runs(struct bench *bench, struct diag *diag, struct measurement *measurement)
{
	unsigned runs = bench->options->runs;
	_cleanup_(cleanup_free) double *generator = calloc(runs + 1, sizeof(double));
	_cleanup_(cleanup_free) double *cost = calloc(runs + 1, sizeof(double));

	if (!generator || !cost)
		return diag_set(diag, ENOMEM, "out of memory");
	for (unsigned i = 0; i <= runs; i++) {
		double program;
		int error =
			run_empty(bench, diag, &generator[i]) ?: run_program(bench, diag, &program);

		if (error)
			return error;
		cost[i] = program - generator[i];
	}
	measurement->generator = spread_of(generator + 1, runs);
	measurement->cost = spread_of(cost + 1, runs);
	return 0;
}

/* Every packet, no other way out, counted for its service, spread over the
 * backends.
 */
static int check_counters(const struct bench *bench, const struct counters *before,
			  const struct counters *after, struct diag *diag)
{
	const struct scenario *scenario = bench->scenario;
	__u64 served = scenario->action == XDP_PASS ? 0 : bench->packets;
	size_t wanted = bench->flows == 1 && scenario->n_backends ? 1 : scenario->n_backends;
	size_t used = counters_backends_used(before, after);

	for (int i = SL_NEXT + 1; i < SL_VERDICT_COUNT; i++) {
		__u64 want = i == (int)scenario->verdict ? bench->packets : 0;
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
	if (used != wanted)
		return diag_set(diag, EBADMSG, "%zu backends had packets, wanted %zu", used,
				wanted);
	return 0;
}

int measure(const struct measure_options *options, const struct scenario *scenario, unsigned flows,
	    struct diag *diag, struct measurement *ret_measurement)
{
	struct measurement measurement = { .scenario = scenario, .flows = flows };
	struct bench bench = { .options = options, .scenario = scenario, .flows = flows };
	_cleanup_(cleanup_generator) struct generator_bpf *generator = NULL;
	_cleanup_(cleanup_counters) struct counters before = {};
	_cleanup_(cleanup_counters) struct counters after = {};
	struct frame frame = scenario->frame;
	struct generator_config config;

	frame.syn = flows == SCENARIO_FLOOD && frame.proto == IPPROTO_TCP;
	frame_make(&frame, &config);
	config.flow_mask = flows != SCENARIO_FLOOD             ? flows - 1
			   : frame.ip.family == SL_FAMILY_IPV4 ? FRAME_FLOWS_IPV4 - 1
							       : ~0U;

	int error = load_generator(&config, options->prog_fd, diag, &generator);

	bench.generator = generator;
	error = error ?: counters_read(options->prog_fd, diag, &before);
	error = error ?: time_runs(&bench, diag, &measurement);
	error = error ?: counters_read(options->prog_fd, diag, &after);
	error = error ?: check_counters(&bench, &before, &after, diag);
	if (error)
		return error;
	*ret_measurement = measurement;
	return 0;
}
