/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network namespace in which one socket takes all TCP connections, whatever
 * their address and port (a program of type sk_lookup).
 */
#ifndef SLUICE_DAEMON_DATAPATH_STEER_H
#define SLUICE_DAEMON_DATAPATH_STEER_H

struct steer;

/* netns, listener: descriptors, still the caller's. 0 or -errno. */
int steer_new(int netns, int listener, struct steer **ret_steer);

/* Accepts NULL. */
void steer_free(struct steer *steer);

#endif
