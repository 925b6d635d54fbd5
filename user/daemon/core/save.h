/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration that runs, written to the file.
 */
#ifndef SLUICE_DAEMON_CORE_SAVE_H
#define SLUICE_DAEMON_CORE_SAVE_H

#include <stddef.h>

struct balancer;
struct diag;

/* How many changes at run time a save would write to the file: the edits and, where the
 * configuration allows no prefixes of its own, the denials that have no end.
 */
size_t balancer_unsaved(const struct balancer *balancer);

/* Writes the configuration that runs, with these changes, to its file (the old one stays
 * beside it as FILE.old). From then on they are the file's.
 */
int balancer_save(struct balancer *balancer, struct diag *diag);

#endif
