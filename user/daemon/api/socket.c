/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket. Invariant: between api_socket_open() and
 * api_socket_remove() no other sluiced touches the path, because each takes the
 * lock first.
 */
#include "daemon/api/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define SOCKET_MODE    0660
#define SOCKET_BACKLOG 128
#define LOCK_ATTEMPTS  10

static void lock_path(const char *path, char buffer[static PATH_MAX])
{
	(void)snprintf(buffer, PATH_MAX, "%s.lock", path);
}

static int make_directory(const char *path, struct diag *diag)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (!slash || slash == path)
		return 0;
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	if (mkdir(directory, 0755) == 0 || errno == EEXIST)
		return 0;
	return diag_set(diag, errno, "cannot make the directory %s: %s", directory,
			strerror(errno));
}

/* Whether the locked file is still the one that the path leads to: an owner
 * that stops removes it, and a lock on a removed file does not exclude other daemons.
 */
static bool is_current(int fd, const char *path)
{
	struct stat held, found;

	return fstat(fd, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev &&
	       held.st_ino == found.st_ino;
}

static int take_lock(const char *path, struct diag *diag, int *ret_lock)
{
	char name[PATH_MAX];

	lock_path(path, name);
	for (int i = 0; i < LOCK_ATTEMPTS; i++) {
		_cleanup_(cleanup_close) int fd =
			open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return diag_set(diag, errno, "cannot open the lock file %s: %s", name,
					strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				return diag_set(diag, EADDRINUSE, "another sluiced answers on %s",
						path);
			return diag_set(diag, errno, "cannot lock %s: %s", name, strerror(errno));
		}
		if (is_current(fd, name)) {
			*ret_lock = TAKE_FD(fd);
			return 0;
		}
	}
	return diag_set(diag, EAGAIN, "the lock file %s is replaced again and again", name);
}

/* Removes the socket that an earlier daemon left. Does not wait: a listener whose queue is
 * full (EAGAIN) is alive too.
 */
static int remove_stale(const struct sockaddr_un *address, struct diag *diag)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0
				       : diag_set(diag, errno, "cannot look at %s: %s",
						  address->sun_path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return diag_set(diag, EEXIST, "%s exists and is not a socket", address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return diag_set(diag, errno, "cannot make a socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return diag_set(diag, EADDRINUSE, "another sluiced answers on %s",
				address->sun_path);
	if (errno != ECONNREFUSED && errno != ENOENT)
		return diag_set(diag, errno, "cannot tell whether anyone answers on %s: %s",
				address->sun_path, strerror(errno));
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return diag_set(diag, errno, "cannot remove the stale socket %s: %s",
				address->sun_path, strerror(errno));
	return 0;
}

/* The mode of the new file is that of the descriptor less the umask, so it is
 * never wider than SOCKET_MODE; a umask may have made it narrower. Until
 * listen() no client can connect.
 */
static int bind_and_listen(const struct sockaddr_un *address, struct diag *diag, int *ret_socket)
{
	_cleanup_(cleanup_close) int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || fchmod(fd, SOCKET_MODE) < 0)
		return diag_set(diag, errno, "cannot make a socket: %s", strerror(errno));
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return diag_set(diag, errno, "cannot make the socket %s: %s", address->sun_path,
				strerror(errno));
	if (chmod(address->sun_path, SOCKET_MODE) < 0 || listen(fd, SOCKET_BACKLOG) < 0) {
		int error = errno;

		(void)unlink(address->sun_path);
		return diag_set(diag, error, "cannot listen on %s: %s", address->sun_path,
				strerror(error));
	}
	*ret_socket = TAKE_FD(fd);
	return 0;
}

int api_socket_open(const char *path, struct diag *diag, int *ret_socket, int *ret_lock)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_(cleanup_close) int lock = -1;
	int error;

	if (!path[0])
		return diag_set(diag, EINVAL, "the control socket has an empty path");
	if (strlen(path) >= sizeof(address.sun_path))
		return diag_set(diag, ENAMETOOLONG,
				"the control socket's path is %zu bytes long, at most %zu are "
				"possible: %s",
				strlen(path), sizeof(address.sun_path) - 1, path);
	strcpy(address.sun_path, path);

	error = make_directory(path, diag) ?: take_lock(path, diag, &lock);
	if (error)
		return error;
	error = remove_stale(&address, diag) ?: bind_and_listen(&address, diag, ret_socket);
	if (error) {
		char name[PATH_MAX];

		lock_path(path, name);
		(void)unlink(name);
		return error;
	}
	*ret_lock = TAKE_FD(lock);
	return 0;
}

void api_socket_remove(const char *path)
{
	char name[PATH_MAX];

	lock_path(path, name);
	(void)unlink(path);
	(void)unlink(name);
}
