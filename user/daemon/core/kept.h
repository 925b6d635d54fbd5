/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's changes at run time, edits and denials, in the state file. A change is in
 * the file before it is answered.
 */
#ifndef SLUICE_DAEMON_CORE_KEPT_H
#define SLUICE_DAEMON_CORE_KEPT_H

#include <stddef.h>

struct balancer;
struct balancer_edit;
struct denial;
struct diag;
struct record;

/* At the start: the edits and denials of the file are the balancer's, and the edits are made
 * in its configuration. 0, or -errno and diag: another sluiced has the file.
 */
int kept_open(struct balancer *balancer, struct diag *diag);

/* Once the start has succeeded: the file comes to hold what was taken from it, without what
 * has ended and what did not fit, and what was taken from the maps.
 */
void kept_start(struct balancer *balancer);

/* Writes the balancer's edits and denials, which differ from those in the file by `news`
 * alone; NULL: by anything. 0; or -EIO and diag, and the file is as it was.
 */
int kept_put(struct balancer *balancer, const struct record *news, struct diag *diag);

/* The same for a change that cannot be refused: what cannot be written now is written
 * later.
 */
void kept_put_later(struct balancer *balancer);

/* By the clock: writes what could not be written before. */
void kept_retry(struct balancer *balancer);

struct record kept_record_of_edit(const struct balancer_edit *edit);
struct record kept_record_of_denial(const struct denial *denial);

/* The file is closed, and stays. */
void kept_close(struct balancer *balancer);

#endif
