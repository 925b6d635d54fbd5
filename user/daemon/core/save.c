// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/save.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/balancer.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/write.h"

/* A file beside path that has text, and path's mode and owner. */
static int write_fresh(const char *fresh, const char *path, const char *text)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(fresh, "wxe");
	struct stat old;

	if (!file)
		return -errno;
	/* The owner cannot be kept without the right to give files away. */
	if (!stat(path, &old)) {
		if (fchmod(fileno(file), old.st_mode & 07777))
			return -errno;
		(void)!fchown(fileno(file), old.st_uid, old.st_gid);
	}
	return fputs(text, file) == EOF || fflush(file) || fsync(fileno(file)) ? -errno : 0;
}

/* Replaces the file as a whole, not a link to it; what it held stays beside it. */
static int replace_file(const char *link_path, const char *text, struct diag *diag)
{
	_cleanup_(cleanup_free) char *path = realpath(link_path, NULL);
	char fresh[PATH_MAX + 8], old[PATH_MAX + 8];
	int error;

	if (!path)
		return diag_set(diag, errno, "cannot find %s: %s", link_path, strerror(errno));
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	(void)snprintf(old, sizeof(old), "%s.old", path);
	(void)unlink(fresh);
	error = write_fresh(fresh, path, text);
	if (!error) {
		(void)unlink(old);
		error = link(path, old) || rename(fresh, path) ? -errno : 0;
	}
	if (!error)
		return 0;
	(void)unlink(fresh);
	return diag_set(diag, -error, "cannot write %s: %s", fresh, strerror(-error));
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
	log_info("what runs is saved to %s", balancer->options.config_path);
	return 0;
}
