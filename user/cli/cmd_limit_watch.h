/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl limit top --watch.
 */
#ifndef SLUICE_CLI_CMD_LIMIT_WATCH_H
#define SLUICE_CLI_CMD_LIMIT_WATCH_H

struct cli;
struct out_section;

/* Shows the sources in these sections again and again, until it is interrupted. Returns
 * an exit code.
 */
int cmd_limit_watch(const struct cli *cli, const struct out_section *sections,
		    unsigned long long interval_ms);

#endif
