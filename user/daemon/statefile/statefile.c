// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/statefile/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/lockfile.h"
#include "daemon/log.h"
#include "daemon/statefile/path.h"
#include "daemon/statefile/read.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* A file of more records gets a line for each change, and is written anew when at least half of
 * its lines are out of date.
 */
#define SMALL     100

#define ASIDE_MAX 100 /* files that were moved aside */
#define PATH_SIZE (STATEFILE_PATH_SIZE + 16)

struct statefile {
	char path[STATEFILE_PATH_SIZE];
	int lock;       /* -1: the file cannot be used, for the reason in fault */
	int fd;         /* what the path leads to, for appending; -1: there is no file */
	off_t size;     /* of fd */
	size_t n_lines; /* records that fd has */
	struct diag fault;
	char aside[PATH_SIZE]; /* where the file with a fault is now; "": there was none */
	char aside_fault[READ_FAULT_SIZE];
};

DEFINE_CLEANUP(statefile_free, struct statefile *);

/* ---- writing ------------------------------------------------------------- */

static int write_all(FILE *stream, const struct statefile_content *content)
{
	char line[RECORD_SIZE], header[READ_HEADER_SIZE];
	struct record record;
	size_t length = read_format_header(content->n, header);

	(void)fwrite(header, 1, length, stream);
	for (size_t i = 0; i < content->n && !ferror(stream); i++) {
		content->get(content->arg, i, &record);
		length = record_format(&record, line);
		(void)fwrite(line, 1, length, stream);
	}
	return fflush(stream) || ferror(stream) || fsync(fileno(stream)) ? -(errno ?: EIO) : 0;
}

/* A file beside the path that holds the content. */
static int write_fresh(const char *fresh, const struct statefile_content *content, int *ret_fd)
{
	_cleanup_(cleanup_fclose) FILE *stream = NULL;
	_cleanup_(cleanup_close) int fd = -1;
	int error;

	(void)unlink(fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (*ret_fd < 0)
		return -errno;
	stream = fdopen(fd, "a");
	if (!stream)
		return -errno;
	(void)TAKE_FD(fd);
	errno = 0;
	error = write_all(stream, content);
	return error;
}

static void use(struct statefile *file, int fd, size_t n_lines)
{
	struct stat status;

	cleanup_close(&file->fd);
	file->fd = fd;
	file->n_lines = n_lines;
	file->size = fd >= 0 && !fstat(fd, &status) ? status.st_size : 0;
}

static int replace(struct statefile *file, const struct statefile_content *content)
{
	char fresh[PATH_SIZE];
	int fd = -1, error;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", file->path);
	error = write_fresh(fresh, content, &fd);
	if (!error && rename(fresh, file->path))
		error = -errno;
	if (error) {
		cleanup_close(&fd);
		(void)unlink(fresh);
		return error;
	}
	use(file, fd, content->n);
	error = statefile_sync(file->path);
	if (error)
		use(file, -1, 0); /* the next change replaces the file, too */
	return error;
}

static int remove_file(struct statefile *file)
{
	if (unlink(file->path) && errno != ENOENT)
		return -errno;
	use(file, -1, 0);
	return statefile_sync(file->path);
}

/* A line that is not on the disk as a whole is taken back. */
static int append(struct statefile *file, const struct record *news)
{
	char line[RECORD_SIZE];
	size_t length = record_format(news, line);
	ssize_t written = write(file->fd, line, length);
	int error;

	if (written == (ssize_t)length && !fdatasync(file->fd)) {
		file->size += written;
		file->n_lines++;
		return 0;
	}
	error = written < 0 || (size_t)written == length ? -errno : -ENOSPC;
	if (ftruncate(file->fd, file->size))
		use(file, -1, 0); /* the next change replaces the file */
	return error;
}

static bool is_appended(const struct statefile *file, const struct statefile_content *content)
{
	return file->fd >= 0 && content->n > SMALL && file->n_lines < 2 * content->n &&
	       lockfile_is_current(file->fd, file->path);
}

int statefile_put(struct statefile *file, const struct statefile_content *content,
		  const struct record *news, struct diag *diag)
{
	int error;

	if (file->lock < 0)
		return diag_set(diag, EIO, "a change at run time cannot be kept: %s",
				file->fault.text);
	if (news && is_appended(file, content))
		error = append(file, news);
	else
		error = content->n ? replace(file, content) : remove_file(file);
	return error ? diag_set(diag, EIO,
				"a change at run time cannot be kept: cannot write %s: %s",
				file->path, strerror(-error))
		     : 0;
}

/* ---- opening ------------------------------------------------------------- */

/* Keeps a file with a fault, under a name that no other such file has. */
static int move_aside(struct statefile *file, const char *fault)
{
	for (int i = 0; i < ASIDE_MAX; i++) {
		if (i)
			(void)snprintf(file->aside, sizeof(file->aside), "%s.bad.%d", file->path,
				       i);
		else
			(void)snprintf(file->aside, sizeof(file->aside), "%s.bad", file->path);
		if (link(file->path, file->aside)) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		if (unlink(file->path))
			return -errno;
		(void)snprintf(file->aside_fault, sizeof(file->aside_fault), "%s", fault);
		return 0;
	}
	return -EEXIST;
}

static int read_all(struct statefile *file, FILE *stream, record_take_fn *take, void *arg)
{
	char fault[READ_FAULT_SIZE];
	int error = read_records(stream, take, arg, fault);

	if (error || !fault[0])
		return error;
	error = move_aside(file, fault);
	if (error) {
		(void)diag_set(&file->fault, EIO, "%s: %s, and it cannot be renamed: %s",
			       file->path, fault, strerror(-error));
		file->aside[0] = '\0';
		return -EIO;
	}
	log_error("%s: %s; the file is kept as %s, and the changes before the fault are in force",
		  file->path, fault, file->aside);
	return 0;
}

static FILE *open_stream(struct statefile *file)
{
	_cleanup_(cleanup_close) int fd =
		open(file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	FILE *stream;

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &status)) {
		(void)diag_set(&file->fault, EIO, "cannot open %s: %s", file->path,
			       strerror(errno));
		return NULL;
	}
	if (!S_ISREG(status.st_mode) || (status.st_uid && status.st_uid != geteuid()) ||
	    status.st_mode & 022) {
		(void)diag_set(&file->fault, EIO,
			       "%s must be a file of root's to which no other user can write",
			       file->path);
		return NULL;
	}
	stream = fdopen(fd, "r");
	if (stream)
		(void)TAKE_FD(fd);
	else
		(void)diag_set(&file->fault, EIO, "cannot read %s: %s", file->path,
			       strerror(errno));
	return stream;
}

/* 0, with file->lock, or file->fault. */
static int take_lock(struct statefile *file, struct diag *diag)
{
	char path[PATH_SIZE], directory[STATEFILE_PATH_SIZE];
	pid_t holder = 0;
	int error;

	statefile_directory(file->path, directory);
	error = lockfile_make_directory(directory);
	if (error) {
		(void)diag_set(&file->fault, EIO,
			       error == -EPERM ? "other users can write to %s%s"
					       : "cannot make the directory %s: %s",
			       directory, error == -EPERM ? "" : strerror(-error));
		return 0;
	}
	(void)snprintf(path, sizeof(path), "%s.lock", file->path);
	error = lockfile_take(path, &file->lock, &holder);
	if (error == -EWOULDBLOCK)
		return diag_set(diag, EBUSY,
				"another sluiced (process %d) keeps its changes at run time in %s; "
				"each needs a file of its own: sluiced --state FILE",
				(int)holder, file->path);
	if (error)
		(void)diag_set(&file->fault, EIO, "cannot take the lock %s: %s", path,
			       strerror(-error));
	return 0;
}

static void give_up_lock(struct statefile *file)
{
	char path[PATH_SIZE];

	if (file->lock < 0)
		return;
	(void)snprintf(path, sizeof(path), "%s.lock", file->path);
	(void)unlink(path);
	(void)close(TAKE_FD(file->lock));
}

int statefile_open(const char *path, record_take_fn *take, void *arg, struct diag *diag,
		   struct statefile **ret_file)
{
	_cleanup_(statefile_freep) struct statefile *file = calloc(1, sizeof(*file));
	_cleanup_(cleanup_fclose) FILE *stream = NULL;
	int error;

	if (!file)
		return diag_no_memory(diag);
	file->lock = file->fd = -1;
	if (strlen(path) >= sizeof(file->path))
		return diag_set(diag, ENAMETOOLONG, "the path of the state file is too long: %s",
				path);
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	error = take_lock(file, diag);
	if (error)
		return error;
	if (file->lock >= 0)
		stream = open_stream(file);
	if (stream && read_all(file, stream, take, arg) == -ENOMEM)
		return diag_no_memory(diag);
	if (file->fault.text[0]) {
		give_up_lock(file);
		log_error("changes at run time cannot be kept: %s", file->fault.text);
	}
	*ret_file = TAKE_PTR(file);
	return 0;
}

bool statefile_is_usable(const struct statefile *file)
{
	return file->lock >= 0;
}

const char *statefile_problem(const struct statefile *file, char buffer[static STATEFILE_TEXT_SIZE])
{
	if (file->lock < 0) {
		(void)snprintf(buffer, STATEFILE_TEXT_SIZE,
			       "changes at run time cannot be kept, so they are refused: %s; mend "
			       "it, and start sluiced again",
			       file->fault.text);
		return buffer;
	}
	if (!file->aside[0] || access(file->aside, F_OK))
		return NULL;
	(void)snprintf(buffer, STATEFILE_TEXT_SIZE,
		       "changes at run time may be lost: %s has a fault (%s), and only the changes "
		       "before it are in force; make the others again, then: rm %s",
		       file->aside, file->aside_fault, file->aside);
	return buffer;
}

void statefile_free(struct statefile *file)
{
	if (!file)
		return;
	cleanup_close(&file->fd);
	give_up_lock(file);
	free(file);
}
