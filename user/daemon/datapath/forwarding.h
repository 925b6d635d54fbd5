/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The values that modes of forwarding read at run time.
 */
#ifndef SLUICE_DAEMON_DATAPATH_FORWARDING_H
#define SLUICE_DAEMON_DATAPATH_FORWARDING_H

struct config;
struct datapath;

/* Writes them as the configuration says, while packets run. */
void datapath_set_forwarding(struct datapath *datapath, const struct config *config);

#endif
