// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"

#define ATTEMPTS 10

/* Root's and this user's own files are believed, and no others. */
static bool is_trusted(const struct stat *status)
{
	return status->st_uid == 0 || status->st_uid == geteuid();
}

bool lockfile_is_current(int fd, const char *path)
{
	struct stat held, found;

	return fstat(fd, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev &&
	       held.st_ino == found.st_ino;
}

/* A process that can open a file can lock it, also when it opens it for reading only. */
static int open_own(const char *path, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || !is_trusted(&status) || status.st_mode & 077)
		return -EPERM;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void write_owner(int fd)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (!ftruncate(fd, 0))
		(void)!pwrite(fd, text, (size_t)length, 0);
}

static pid_t read_owner(int fd)
{
	char text[16] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	return length > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

int lockfile_take(const char *path, int *ret_fd, pid_t *ret_holder)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		_cleanup_(cleanup_close) int fd = -1;
		int error = open_own(path, &fd);

		if (error)
			return error;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			if (errno == EWOULDBLOCK)
				*ret_holder = read_owner(fd);
			return -errno;
		}
		/* An owner that stops removes the file, and a lock on a removed file excludes
		 * no other process.
		 */
		if (!lockfile_is_current(fd, path))
			continue;
		write_owner(fd);
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return -EAGAIN; /* the file is replaced again and again */
}

static int make_directories(const char *path)
{
	_cleanup_(cleanup_free) char *part = strdup(path);

	if (!part)
		return -ENOMEM;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0755) && errno != EEXIST ? -errno : 0;
}

int lockfile_make_directory(const char *path)
{
	int error = make_directories(path);
	struct stat status;

	if (error)
		return error;
	if (lstat(path, &status))
		return -errno;
	return S_ISDIR(status.st_mode) && is_trusted(&status) && !(status.st_mode & 022) ? 0
											 : -EPERM;
}
