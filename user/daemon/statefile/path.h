/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a state file is.
 */
#ifndef SLUICE_DAEMON_STATEFILE_PATH_H
#define SLUICE_DAEMON_STATEFILE_PATH_H

#define STATEFILE_PATH_SIZE 512

/* The default path of a daemon with this control socket: each socket has a file of its own.
 * 0 or -ENAMETOOLONG.
 */
int statefile_default_path(const char *socket_path, char ret_path[static STATEFILE_PATH_SIZE]);

/* Has the directory of a path written to the disk. 0 or -errno. */
int statefile_sync(const char *path);

/* The directory of a path. */
void statefile_directory(const char *path, char ret_directory[static STATEFILE_PATH_SIZE]);

#endif
