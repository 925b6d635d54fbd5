/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Adopting maps: learns from the maps themselves the state that a predecessor has left.
 */
#ifndef SLUICE_DAEMON_DATAPATH_LEARN_H
#define SLUICE_DAEMON_DATAPATH_LEARN_H

struct datapath;
struct diag;

/* Learns the services, tables, backends, limits, lists and flows; nothing may have been taken
 * from the pools before. 0, or -errno and diag.
 */
int datapath_learn(struct datapath *datapath, struct diag *diag);

#endif
