/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Unix socket that the control interface listens on. One daemon owns a
 * path: the one that holds the lock on PATH.lock.
 */
#ifndef SLUICE_DAEMON_API_SOCKET_H
#define SLUICE_DAEMON_API_SOCKET_H

struct diag;

/* Makes the directory (0755) where it is missing, takes the lock, replaces a
 * socket that no daemon answers on, and listens. At no moment can any user but the owner
 * and the group connect. -EADDRINUSE: another daemon is there. 0 or -errno and
 * diag. Both descriptors are the caller's to close.
 */
int api_socket_open(const char *path, struct diag *diag, int *ret_socket, int *ret_lock);

/* Removes the socket and the lock file; the lock must still be held. */
void api_socket_remove(const char *path);

#endif
