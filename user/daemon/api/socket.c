/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket. Invariant: between api_socket_open() and
 * api_socket_remove() no other sluiced touches the path, because each takes the
 * lock first.
 */
#include "daemon/api/socket.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/lockfile.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define SOCKET_MODE    0660
#define SOCKET_BACKLOG 128

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

static int take_lock(const char *path, struct diag *diag, int *ret_lock)
{
	char name[PATH_MAX];
	pid_t holder;
	int error;

	lock_path(path, name);
	error = lockfile_take(name, ret_lock, &holder);
	if (error == -EWOULDBLOCK)
		return diag_set(diag, EADDRINUSE, "another sluiced answers on %s", path);
	if (error == -EPERM)
		return diag_set(diag, EPERM,
				"the lock file %s is open to other users; mend it: chmod 600 %s",
				name, name);
	return error ? diag_set(diag, -error, "cannot take the lock file %s: %s", name,
				strerror(-error))
		     : 0;
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
