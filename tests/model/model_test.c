// SPDX-License-Identifier: BSD-2-Clause
/* model_test [--seed N] [--sequences N] [--first N] [--only-sequences], as root: random
 * sequences (sequence.h), then what is counted with tables of real size.
 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "crowd.h"
#include "generations.h"
#include "schedulers.h"
#include "sequence.h"

#define DEFAULT_SEED 20240229
#define SMALL_FLOWS  4096

static void check_sequences(unsigned long long seed, unsigned first, unsigned n)
{
	struct subject subject;

	subject_open(&subject, SMALL_FLOWS);
	sequences_run(&subject, seed, first, n);
	generations_run(&subject);
	subject_close(&subject);
	(void)printf("%u sequences: the program does as the model says\n", n);
}

static void check_real_sizes(void)
{
	struct subject subject;

	subject_open(&subject, SL_DEFAULT_FLOWS);
	schedulers_weights(&subject);
	schedulers_round_robin(&subject);
	schedulers_least_connections(&subject);
	schedulers_affinity(&subject);
	crowd_run(&subject);
	subject_close(&subject);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "sequences", required_argument, NULL, 'n' },
		{ "first", required_argument, NULL, 'f' },
		{ "only-sequences", no_argument, NULL, 'o' },
		{},
	};
	unsigned long long seed = DEFAULT_SEED;
	unsigned sequences = 10000, first = 0;
	bool only_sequences = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			sequences = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			first = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'o':
			only_sequences = true;
			break;
		default:
			return 2;
		}
	}
	(void)printf("seed %llu\n", seed);
	check_sequences(seed, first, sequences);
	if (!only_sequences)
		check_real_sizes();
	return 0;
}
