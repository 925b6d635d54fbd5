/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network namespace in which one socket takes all TCP connections, whatever
 * their address and port (a program of type sk_lookup).
 */
#ifndef SLUICE_DAEMON_DATAPATH_STEER_H
#define SLUICE_DAEMON_DATAPATH_STEER_H

struct steer;

/* netns: a descriptor, still the caller's. Connections are dropped until steer_to(). 0 or
 * -errno.
 */
int steer_new(int netns, struct steer **ret_steer);

/* From now on this socket takes the connections, until it is closed everywhere. listener: a
 * descriptor of a TCP socket in the namespace that listens, still the caller's. 0 or -errno.
 */
int steer_to(struct steer *steer, int listener);

/* Accepts NULL. */
void steer_free(struct steer *steer);

#endif
