// SPDX-License-Identifier: BSD-2-Clause
/* model_test [--seed N] [--sequences N] [--first N]: see sequence.h. As root. */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "sequence.h"

#define DEFAULT_SEED 20240229
#define SMALL_FLOWS  4096

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "sequences", required_argument, NULL, 'n' },
		{ "first", required_argument, NULL, 'f' },
		{ 0 },
	};
	unsigned long long seed = DEFAULT_SEED;
	unsigned sequences = 10000, first = 0;
	struct subject subject;
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
		default:
			return 2;
		}
	}
	(void)printf("seed %llu\n", seed);
	subject_open(&subject, SMALL_FLOWS);
	sequences_run(&subject, seed, first, sequences);
	subject_close(&subject);
	(void)printf("%u sequences: the program does as the model says\n", sequences);
	return 0;
}
