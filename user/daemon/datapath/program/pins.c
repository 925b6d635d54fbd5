// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/program/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "daemon/datapath/program/maps.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"
#define DIR_MODE      0700
#define PIN_PATH_SIZE (PATH_MAX + 80)

static bool is_bpffs(const char *path)
{
	struct statfs stat;

	return !statfs(path, &stat) && (unsigned long)stat.f_type == BPF_FS_MAGIC;
}

/* mkdir -p. */
static int make_directories(const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);

	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, DIR_MODE) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int mount_bpffs(const char *path, struct diag *diag)
{
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return diag_set(diag, errno,
				"cannot mount a bpffs at %s: %s; try: mount -t bpf bpf %s", path,
				strerror(errno), path);
	log_info("mounted a bpffs at %s", path);
	return 0;
}

static bool is_empty(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool empty = directory;

	while (directory && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = false;
	if (directory)
		(void)closedir(directory);
	return empty;
}

/* Makes pin_dir a directory on a bpffs: the default bpffs is mounted where it is missing;
 * elsewhere the directory itself becomes one.
 */
static int prepare_directory(const char *pin_dir, struct diag *diag)
{
	bool is_default = !strncmp(pin_dir, BPFFS_DEFAULT "/", strlen(BPFFS_DEFAULT "/"));
	int error;

	if (is_default && !is_bpffs(BPFFS_DEFAULT)) {
		error = mount_bpffs(BPFFS_DEFAULT, diag);
		if (error)
			return error;
	}
	error = make_directories(pin_dir);
	if (error)
		return diag_set(diag, -error, "cannot make the pin directory %s: %s", pin_dir,
				strerror(-error));
	if (!is_bpffs(pin_dir)) {
		if (!is_empty(pin_dir))
			return diag_set(diag, ENOTEMPTY,
					"%s has files in it, which a bpffs mounted there would "
					"hide; give an empty or a new directory with --pin-dir",
					pin_dir);
		error = mount_bpffs(pin_dir, diag);
		if (error)
			return error;
	}
	/* libxdp keeps its own pins on the default bpffs, unless told of another. */
	if (!is_bpffs(BPFFS_DEFAULT))
		(void)setenv("LIBXDP_BPFFS", pin_dir, 0);
	return 0;
}

static int lock_directory(struct pins *pins, struct diag *diag)
{
	_cleanup_(cleanup_close) int lock = -1;

	if (pins->lock >= 0)
		return 0;
	lock = open(pins->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return diag_set(diag, errno, "cannot open the pin directory %s: %s",
				pins->directory, strerror(errno));
	if (flock(lock, LOCK_EX | LOCK_NB))
		return diag_set(diag, EBUSY,
				"another sluiced uses the pin directory %s; give this one another "
				"with --pin-dir",
				pins->directory);
	pins->lock = TAKE_FD(lock);
	return 0;
}

static void pin_path(const struct pins *pins, const char *name, char ret_path[static PIN_PATH_SIZE])
{
	(void)snprintf(ret_path, PIN_PATH_SIZE, "%s/%s", pins->directory, name);
}

/* A bpffs refuses names with a dot, as sections of data have. */
static bool is_pinned(enum map_name name)
{
	return maps_name(name)[0] != '.';
}

static int pin(int fd, const char *path, struct diag *diag)
{
	if (unlink(path) && errno != ENOENT)
		return diag_set(diag, errno, "cannot remove the stale pin %s: %s", path,
				strerror(errno));
	if (bpf_obj_pin(fd, path))
		return diag_set(diag, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

int pins_set_program(const struct pins *pins, int program_fd, struct diag *diag)
{
	char path[PIN_PATH_SIZE];

	pin_path(pins, "prog", path);
	return pin(program_fd, path, diag);
}

static void map_path(const struct pins *pins, enum map_name map,
		     char ret_path[static PIN_PATH_SIZE])
{
	char name[64];

	(void)snprintf(name, sizeof(name), "maps/%s", maps_name(map));
	pin_path(pins, name, ret_path);
}

static int pin_maps(const struct pins *pins, const struct maps *maps, struct diag *diag)
{
	char path[PIN_PATH_SIZE];
	int error;

	pin_path(pins, "maps", path);
	error = make_directories(path);
	if (error)
		return diag_set(diag, -error, "cannot make %s: %s", path, strerror(-error));
	for (unsigned i = 0; !error && i < MAP_COUNT; i++) {
		if (!is_pinned(i))
			continue;
		map_path(pins, i, path);
		error = pin(maps->map[i].fd, path, diag);
	}
	return error;
}

/* ---- whose they are ------------------------------------------------------------------ */

/* A bpffs holds no files of text, but directories: one is named after the network namespace that
 * the pinned program serves. In another one, it may be running still.
 */
#define NAMESPACE_MARK "netns-"

/* A number that no other network namespace gets until the machine is started again. 0: unknown. */
static unsigned long long network_namespace(void)
{
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned long long cookie = 0;
	socklen_t length = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length))
		return 0;
	return cookie;
}

static void mark_path(const struct pins *pins, char ret_path[static PIN_PATH_SIZE])
{
	char name[64];

	(void)snprintf(name, sizeof(name), NAMESPACE_MARK "%llx", network_namespace());
	pin_path(pins, name, ret_path);
}

static bool is_marked(const struct pins *pins)
{
	char path[PIN_PATH_SIZE];

	mark_path(pins, path);
	return network_namespace() && !access(path, F_OK);
}

static void remove_marks(const struct pins *pins)
{
	DIR *directory = opendir(pins->directory);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (!strncmp(entry->d_name, NAMESPACE_MARK, strlen(NAMESPACE_MARK)))
			(void)unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
	if (directory)
		(void)closedir(directory);
}

/* Without the mark, the pins are of no use to the next daemon, and else as good. */
static void mark(const struct pins *pins)
{
	char path[PIN_PATH_SIZE];

	mark_path(pins, path);
	(void)mkdir(path, DIR_MODE);
}

int pins_find_program(struct pins *pins, const char *directory, int *ret_fd)
{
	char path[PIN_PATH_SIZE];
	struct diag unused;
	int fd;

	if (strlen(directory) >= sizeof(pins->directory) || !is_bpffs(directory))
		return -ENOENT;
	strcpy(pins->directory, directory);
	/* The lock first: the maps of a running daemon must not be touched. */
	if (lock_directory(pins, &unused))
		return -ENOENT;
	pin_path(pins, "prog", path);
	fd = is_marked(pins) ? bpf_obj_get(path) : -1;
	if (fd < 0) {
		pins_done(pins);
		return -ENOENT;
	}
	*ret_fd = fd;
	return 0;
}

int pins_make(struct pins *pins, const char *directory, const struct maps *maps, int program_fd,
	      struct diag *diag)
{
	int error;

	if (strlen(directory) >= sizeof(pins->directory))
		return diag_set(diag, ENAMETOOLONG, "the pin directory's path is too long");
	error = prepare_directory(directory, diag);
	if (error)
		return error;
	strcpy(pins->directory, directory);
	error = lock_directory(pins, diag);
	if (error)
		return error;
	remove_marks(pins); /* before the pins change, so that the mark is never wrong */
	error = pin_maps(pins, maps, diag) ?: pins_set_program(pins, program_fd, diag);
	if (!error)
		mark(pins);
	return error;
}

void pins_remove(const struct pins *pins)
{
	char path[PIN_PATH_SIZE];

	if (pins->lock < 0)
		return;
	pin_path(pins, "prog", path);
	(void)unlink(path);
	remove_marks(pins);
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		if (!is_pinned(i))
			continue;
		map_path(pins, i, path);
		(void)unlink(path);
	}
	pin_path(pins, "maps", path);
	(void)rmdir(path);
	/* Not empty (libxdp's pins) or a mount point: stays. */
	(void)rmdir(pins->directory);
}

void pins_done(struct pins *pins)
{
	cleanup_close(&pins->lock);
	pins->lock = -1;
}
