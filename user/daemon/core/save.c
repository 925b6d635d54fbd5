// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/save.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/balancer.h"
#include "daemon/core/kept.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/write.h"

/* Gives the file path's mode and owner; the mode first, since it is the owner's to change. */
static int copy_rights(int fd, const char *path)
{
	struct stat old, fresh;

	if (stat(path, &old) || fstat(fd, &fresh) || fchmod(fd, old.st_mode & 07777))
		return -errno;
	if (old.st_uid == fresh.st_uid && old.st_gid == fresh.st_gid)
		return 0;
	return fchown(fd, old.st_uid, old.st_gid) ? -errno : 0;
}

static int write_text(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written < 0)
			continue;
		text += written;
		length -= (size_t)written;
	}
	return fsync(fd) ? -errno : 0;
}

/* A new file beside path, under a name that no other file has, with path's rights. */
static int write_fresh(char *fresh, const char *path, const char *text)
{
	_cleanup_(cleanup_close) int fd = mkostemp(fresh, O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = copy_rights(fd, path) ?: write_text(fd, text);
	if (error)
		(void)unlink(fresh);
	return error;
}

/* At each moment path is the old file or the new one. The file systems that cannot exchange two
 * files get a second link to the old one, which needs the right to it.
 */
static int exchange(const char *fresh, const char *path, const char *old)
{
	if (!renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE)) {
		int error = rename(fresh, old) ? -errno : 0;

		if (error)
			(void)renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE);
		return error;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (unlink(old) && errno != ENOENT)
		return -errno;
	return link(path, old) || rename(fresh, path) ? -errno : 0;
}

/* Replaces the file as a whole, not a link to it; what it held stays beside it. */
static int replace_file(const char *link_path, const char *text, struct diag *diag)
{
	_cleanup_(cleanup_free) char *path = realpath(link_path, NULL);
	char fresh[PATH_MAX + 8], old[PATH_MAX + 8];
	int error;

	if (!path)
		return diag_set(diag, errno, "cannot find %s: %s", link_path, strerror(errno));
	(void)snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	(void)snprintf(old, sizeof(old), "%s.old", path);
	error = write_fresh(fresh, path, text);
	if (error)
		return diag_set(diag, -error, "cannot write a new file beside %s: %s", path,
				strerror(-error));
	error = exchange(fresh, path, old);
	if (!error)
		return 0;
	(void)unlink(fresh);
	return diag_set(diag, -error, "cannot replace %s: %s", path, strerror(-error));
}

int balancer_save(struct balancer *balancer, struct diag *diag)
{
	_cleanup_(cleanup_free) char *text = NULL;
	int error = config_write(balancer->config, &text);

	if (error)
		return diag_no_memory(diag);
	error = replace_file(balancer->options.config_path, text, diag);
	if (error)
		return error;
	if (balancer->file != balancer->config)
		config_free(balancer->file);
	balancer->file = balancer->config;
	balancer->n_edits = 0;
	kept_put_later(balancer);
	return 0;
}
