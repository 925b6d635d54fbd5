/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A lock that a file stands for. Its owner alone can open the file, so no other user can
 * take the lock, and the kernel ends the lock when its process dies. The file holds the
 * process id of the owner, for messages.
 */
#ifndef SLUICE_DAEMON_LOCKFILE_H
#define SLUICE_DAEMON_LOCKFILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Takes the lock without waiting; a missing file is made. The lock is held until *ret_fd,
 * the caller's, is closed. The holder may unlink the file, or rename another locked file to
 * its path. 0 or -errno. -EWOULDBLOCK: another process has it, *ret_holder is its id, or 0
 * where that is unknown. -EPERM: the path leads to something that other users can lock.
 */
int lockfile_take(const char *path, int *ret_fd, pid_t *ret_holder);

/* Whether the open file is still the one that the path leads to. */
bool lockfile_is_current(int fd, const char *path);

/* Makes a directory of root's, or of this user's, in which no other user can make files, and
 * those above it where they are missing. 0 or -errno. -EPERM: there is one which others may write to, or something else.
 */
int lockfile_make_directory(const char *path);

#endif
