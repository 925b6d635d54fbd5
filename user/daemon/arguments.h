/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line of sluiced. For main.c.
 */
#ifndef SLUICE_DAEMON_ARGUMENTS_H
#define SLUICE_DAEMON_ARGUMENTS_H

#include <stdbool.h>

#include "daemon/core/balancer.h"

struct arguments {
	struct balancer_options options;
	bool check;
};

/* Also answers --help and --version, and says on stderr what is wrong. -1: go on. Else the exit
 * status.
 */
int arguments_parse(int argc, char **argv, struct arguments *ret_arguments);

#endif
