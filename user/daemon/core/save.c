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
#include "daemon/core/denied.h"
#include "daemon/core/kept.h"
#include "daemon/core/reload.h"
#include "daemon/log.h"
#include "daemon/statefile/path.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/deny.h"
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
	/* On the disk before the state file forgets what is saved. */
	if (!error)
		return statefile_sync(path) ? diag_set(diag, EIO, "cannot write %s to the disk: %s",
						       path, strerror(errno))
					    : 0;
	(void)unlink(fresh);
	return diag_set(diag, -error, "cannot replace %s: %s", path, strerror(-error));
}

/* ---- what is saved ------------------------------------------------------- */

/* A denial for good says in the file what it says at run time, unless the file has a list of
 * allowed prefixes: of those the longer ones would decide.
 */
static bool is_saved(const struct balancer *balancer, const struct denial *denial)
{
	return !denial->ends_ms && !balancer->config->access.allow.n;
}

size_t balancer_unsaved(const struct balancer *balancer)
{
	size_t n = balancer->n_edits;

	for (size_t i = 0; i < balancer->n_denials; i++)
		n += is_saved(balancer, &balancer->denials[i]);
	return n;
}

/* The configuration to write: the one that runs, with the denials that are saved. */
static int make_config(const struct balancer *balancer, struct config **ret_config)
{
	_cleanup_(cleanup_free) struct prefix *prefixes =
		calloc(balancer->n_denials + 1, sizeof(*prefixes));
	size_t n = 0;

	if (!prefixes)
		return -ENOMEM;
	for (size_t i = 0; i < balancer->n_denials; i++)
		if (is_saved(balancer, &balancer->denials[i]))
			prefixes[n++] = balancer->denials[i].prefix;
	return config_deny(balancer->config, prefixes, n, ret_config);
}

/* The file has the saved denials now: they are its own, and no longer made at run time. Where
 * the maps cannot take them as the file's, they stay as they are, and are denied twice after
 * the next start.
 */
static void hand_over_denials(struct balancer *balancer)
{
	struct diag diag = {};
	size_t kept = 0;

	if (balancer_switch(balancer, balancer->file, &diag)) {
		log_warning("the saved prefixes stay denied at run time: %s", diag.text);
		return;
	}
	for (size_t i = 0; i < balancer->n_denials; i++)
		if (!is_saved(balancer, &balancer->denials[i]))
			balancer->denials[kept++] = balancer->denials[i];
	balancer->n_denials = kept;
	if (balancer_denied_put(balancer, &diag))
		log_warning("the saved prefixes stay denied in the maps: %s", diag.text);
}

/* The configuration of the file is another object now; NULL: the one that runs. */
static void set_file(struct balancer *balancer, struct config *config)
{
	if (balancer->file != balancer->config)
		config_free(balancer->file);
	balancer->file = config ?: balancer->config;
	balancer->n_edits = 0;
	if (config)
		hand_over_denials(balancer);
	kept_put_later(balancer);
}

int balancer_save(struct balancer *balancer, struct diag *diag)
{
	bool has_denials = balancer_unsaved(balancer) > balancer->n_edits;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(cleanup_free) char *text = NULL;
	int error = has_denials ? make_config(balancer, &config) : 0;

	if (error)
		return diag_set(diag, -error, "the denied prefixes cannot be saved: %s",
				error == -E2BIG ? "they are too many for a configuration"
						: strerror(-error));
	if (config_write(config ?: balancer->config, &text))
		return diag_no_memory(diag);
	error = replace_file(balancer->options.config_path, text, diag);
	if (!error)
		set_file(balancer, TAKE_PTR(config));
	return error;
}
