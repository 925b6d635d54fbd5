/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl backend drain --wait.
 */
#ifndef SLUICE_CLI_CMD_DRAIN_WAIT_H
#define SLUICE_CLI_CMD_DRAIN_WAIT_H

#include <jansson.h>

struct cli;

/* Shows the live connections of the backend at this path as they become fewer, once the
 * drain has begun. Takes view, the daemon's answer to it. Returns an exit code.
 */
int cmd_drain_wait(const struct cli *cli, const char *path, json_t *view);

#endif
