/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wire: frames over a real link to a load balancer and back. Live frames
 * (BPF_F_TEST_XDP_LIVE_FRAMES) go into one end of a veth; the program at the other
 * end sends them back by XDP_TX; they are counted where they went in. Runs in
 * turn over a link that sluice has and over one that a bare XDP_TX has. Prints
 * one JSON object for each scenario and number of flows. Exit codes: 0 done,
 * 1 failed, or frames came back another way than they should, 2 misuse.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "tests/bench/scenario.h"

/* Only then, for it holds a struct of generator.h. */
#include "generator.skel.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "tests/bench/number.h"

#define BATCH        64 /* frames; a veth's ring holds 256 */
#define PAUSE_NS     1000000
#define QUIET_PAUSES 50 /* without a frame: none is on its way any more */
#define ROUNDS_MAX   1000
#define FRAMES_MAX   1000000000

/* One link: what sends onto it, and counts. */
struct way {
	struct generator_bpf *generator;
	struct bpf_link *counter;
};

struct run {
	__u64 sent, back;
	double seconds;
};

struct options {
	const char *device, *bare, *scenarios;
	unsigned frames, rounds, cpu;
};

static const char usage[] = "usage: wire --device NAME --bare NAME --scenarios FILE --cpu N\n"
			    "            [--frames 2000000] [--rounds 5]\n";

static void way_done(struct way *way)
{
	bpf_link__destroy(way->counter);
	generator_bpf__destroy(way->generator);
}

static int way_open(const char *device, const struct generator_config *config, struct diag *diag,
		    struct way *way)
{
	unsigned ifindex = if_nametoindex(device);

	way->generator = ifindex ? generator_bpf__open() : NULL;
	if (!way->generator)
		return diag_set(diag, errno, "%s: %m", device);
	memcpy((void *)&way->generator->rodata->config, config, sizeof(*config));
	way->generator->rodata->config.ifindex = ifindex;

	int error = generator_bpf__load(way->generator);

	if (error)
		return diag_set(diag, -error, "the generator cannot be loaded: %s",
				strerror(-error));
	way->counter = bpf_program__attach_xdp(way->generator->progs.count, ifindex);
	if (!way->counter)
		return diag_set(diag, errno, "%s: cannot attach XDP: %m", device);
	return 0;
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Frames that came back: all, or as many as there are when no more come. */
static __u64 wait_back(const struct way *way, bool forwarded)
{
	const volatile __u64 *count = forwarded ? &way->generator->bss->came_forwarded
						: &way->generator->bss->came_untouched;
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	__u64 seen = *count;

	for (int quiet = 0; quiet < QUIET_PAUSES && seen < way->generator->bss->generated;) {
		__u64 last = seen;

		(void)nanosleep(&pause, NULL);
		seen = *count;
		quiet = seen == last ? quiet + 1 : 0;
	}
	return seen;
}

static int run(const struct way *way, unsigned frames, bool forwarded, struct diag *diag,
	       struct run *ret_run)
{
	struct generator_bpf *generator = way->generator;
	__u32 length = GENERATOR_ETH_SIZE + 8 * generator->rodata->config.words;
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		    .data_in = (const void *)generator->rodata->config.frame,
		    .data_size_in = length, .repeat = frames, .batch_size = BATCH,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	generator->bss->generated = 0;
	generator->bss->came_forwarded = 0;
	generator->bss->came_untouched = 0;

	double start = now();
	int error = bpf_prog_test_run_opts(bpf_program__fd(generator->progs.send), &opts);
	double end = now();

	if (error)
		return diag_set(diag, -error, "BPF_PROG_TEST_RUN: %s", strerror(-error));
	*ret_run = (struct run){
		.sent = generator->bss->generated,
		.back = wait_back(way, forwarded),
		.seconds = end - start,
	};

	__u64 other = forwarded ? generator->bss->came_untouched : generator->bss->came_forwarded;

	if (generator->bss->failed || other || !ret_run->back || ret_run->back > ret_run->sent)
		return diag_set(
			diag, EBADMSG,
			"%llu frames sent, %llu back, %llu back that are not as they should "
			"be, %llu could not be made",
			(unsigned long long)ret_run->sent, (unsigned long long)ret_run->back,
			(unsigned long long)other, (unsigned long long)generator->bss->failed);
	return 0;
}

static json_t *run_json(const struct run *run)
{
	return json_pack("{s:I, s:I, s:f}", "sent", (json_int_t)run->sent, "back",
			 (json_int_t)run->back, "seconds", run->seconds);
}

/* The first round is a rehearsal. */
static int run_rounds(const struct options *options, const struct way *sluice,
		      const struct way *bare, struct diag *diag, json_t *rounds)
{
	for (unsigned i = 0; i <= options->rounds; i++) {
		struct run through, limit;
		int error = run(sluice, options->frames, true, diag, &through)
				    ?: run(bare, options->frames, false, diag, &limit);

		if (error)
			return error;
		if (i)
			(void)json_array_append_new(rounds, json_pack("{s:o, s:o}", "sluice",
								      run_json(&through), "bare",
								      run_json(&limit)));
	}
	return 0;
}

static int measure_flows(const struct options *options, const struct scenario *scenario,
			 const struct scenario_flows *flows, struct diag *diag)
{
	_cleanup_(way_done) struct way sluice = {};
	_cleanup_(way_done) struct way bare = {};
	struct generator_config config;
	struct frame frame = scenario->frame;
	json_t *rounds = json_array();

	frame.syn = flows->syn && frame.proto == IPPROTO_TCP;
	frame_make(&frame, &config);
	config.flow_mask = (flows->n == SCENARIO_FLOOD ? FRAME_FLOWS_IPV4 : flows->n) - 1;

	int error = way_open(options->device, &config, diag, &sluice) ?:
		    way_open(options->bare, &config, diag, &bare) ?:
		    run_rounds(options, &sluice, &bare, diag, rounds);
	json_t *row = json_pack("{s:s, s:i, s:b, s:o}", "scenario", scenario->name, "flows",
				(int)flows->n, "syn", flows->syn, "rounds", rounds);

	if (!error && (!row || json_dumpf(row, stdout, JSON_COMPACT) || putchar('\n') == EOF))
		error = diag_set(diag, EIO, "cannot print");
	(void)fflush(stdout);
	json_decref(row);
	return error;
}

static int stay_on(unsigned cpu, struct diag *diag)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? diag_set(diag, errno, "CPU %u: %m", cpu)
						       : 0;
}

static int measure_all(const struct options *options, struct diag *diag)
{
	_cleanup_(cleanup_free) struct scenario *scenarios = NULL;
	size_t n = 0;
	int error = stay_on(options->cpu, diag)
			    ?: scenarios_load(options->scenarios, diag, &scenarios, &n);

	for (size_t i = 0; i < n && !error; i++)
		for (size_t j = 0; j < scenarios[i].n_flows && !error; j++) {
			error = measure_flows(options, &scenarios[i], &scenarios[i].flows[j], diag);
			if (error)
				fprintf(stderr, "wire: %s with %u flows (0: flood):\n",
					scenarios[i].name, scenarios[i].flows[j].n);
		}
	return error;
}

static bool take_option(int option, struct options *options)
{
	switch (option) {
	case 'd':
		options->device = optarg;
		return true;
	case 'b':
		options->bare = optarg;
		return true;
	case 's':
		options->scenarios = optarg;
		return true;
	case 'c':
		return take_number(optarg, 0, CPU_SETSIZE - 1, &options->cpu);
	case 'f':
		return take_number(optarg, 1, FRAMES_MAX, &options->frames);
	case 'r':
		return take_number(optarg, 1, ROUNDS_MAX, &options->rounds);
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "bare", required_argument, NULL, 'b' },
		{ "scenarios", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "frames", required_argument, NULL, 'f' },
		{ "rounds", required_argument, NULL, 'r' },
		{},
	};
	struct options options = { .frames = 2000000, .rounds = 5 };
	struct diag diag = {};
	bool understood = true;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		understood = understood && take_option(option, &options);
	if (!understood || optind != argc || !options.device || !options.bare ||
	    !options.scenarios) {
		fputs(usage, stderr);
		return 2;
	}
	if (measure_all(&options, &diag)) {
		fprintf(stderr, "wire: %s\n", diag.text);
		return 1;
	}
	return 0;
}
