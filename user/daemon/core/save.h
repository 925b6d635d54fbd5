/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration that runs, written to the file.
 */
#ifndef SLUICE_DAEMON_CORE_SAVE_H
#define SLUICE_DAEMON_CORE_SAVE_H

struct balancer;
struct diag;

/* Writes the configuration that runs to its file (the old one stays beside it as
 * FILE.old), and forgets the edits.
 */
int balancer_save(struct balancer *balancer, struct diag *diag);

#endif
