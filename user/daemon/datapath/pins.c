// SPDX-License-Identifier: BSD-2-Clause
/* The pin directory: PIN_DIR/prog and PIN_DIR/maps/NAME, so that `ip link set
 * dev X xdp pinned PIN_DIR/prog` and bpftool find them. Nothing is ever read
 * back from here: what the daemon takes over, it takes over from interfaces.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "daemon/datapath/internal.h"
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

/* Makes pin_dir a directory on a bpffs: the default one is mounted where it is
 * missing; elsewhere the directory itself becomes one.
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
		error = mount_bpffs(pin_dir, diag);
		if (error)
			return error;
	}
	/* libxdp keeps its own pins on the default bpffs, unless told of another. */
	if (!is_bpffs(BPFFS_DEFAULT))
		(void)setenv("LIBXDP_BPFFS", pin_dir, 0);
	return 0;
}

static int lock_directory(struct datapath *datapath, struct diag *diag)
{
	datapath->pin_lock = open(datapath->pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (datapath->pin_lock < 0)
		return diag_set(diag, errno, "cannot open the pin directory %s: %s",
				datapath->pin_dir, strerror(errno));
	if (flock(datapath->pin_lock, LOCK_EX | LOCK_NB))
		return diag_set(diag, EBUSY,
				"another sluiced uses the pin directory %s; give this one another "
				"with --pin-dir",
				datapath->pin_dir);
	return 0;
}

static void pin_path(const struct datapath *datapath, const char *name,
		     char ret_path[static PIN_PATH_SIZE])
{
	(void)snprintf(ret_path, PIN_PATH_SIZE, "%s/%s", datapath->pin_dir, name);
}

/* A bpffs refuses names with a dot, as constants have; nobody looks for those. */
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

int pins_set_program(struct datapath *datapath, int program_fd, struct diag *diag)
{
	char path[PIN_PATH_SIZE];
	int fd, error;

	pin_path(datapath, "prog", path);
	error = pin(program_fd, path, diag);
	if (error || program_fd == datapath->program_fd)
		return error;
	fd = fcntl(program_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return diag_set(diag, errno, "cannot keep the program: %s", strerror(errno));
	cleanup_close(&datapath->program_fd);
	datapath->program_fd = fd;
	return 0;
}

int pins_make(struct datapath *datapath, const char *pin_dir, struct diag *diag)
{
	char path[PIN_PATH_SIZE];
	int error;

	if (strlen(pin_dir) >= sizeof(datapath->pin_dir))
		return diag_set(diag, ENAMETOOLONG, "the pin directory's path is too long");
	error = prepare_directory(pin_dir, diag);
	if (error)
		return error;
	strcpy(datapath->pin_dir, pin_dir);
	error = lock_directory(datapath, diag);
	if (error)
		return error;
	pin_path(datapath, "maps", path);
	error = make_directories(path);
	if (error)
		return diag_set(diag, -error, "cannot make %s: %s", path, strerror(-error));
	for (unsigned i = 0; !error && i < MAP_COUNT; i++) {
		char name[64];

		if (!is_pinned(i))
			continue;
		(void)snprintf(name, sizeof(name), "maps/%s", maps_name(i));
		pin_path(datapath, name, path);
		error = pin(datapath->maps.map[i].fd, path, diag);
	}
	return error ?: pins_set_program(datapath, datapath->program_fd, diag);
}

void pins_remove(const struct datapath *datapath)
{
	char path[PIN_PATH_SIZE], name[64];

	if (datapath->pin_lock < 0)
		return;
	pin_path(datapath, "prog", path);
	(void)unlink(path);
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		if (!is_pinned(i))
			continue;
		(void)snprintf(name, sizeof(name), "maps/%s", maps_name(i));
		pin_path(datapath, name, path);
		(void)unlink(path);
	}
	pin_path(datapath, "maps", path);
	(void)rmdir(path);
	/* Not empty (libxdp's pins) or a mount point: stays. */
	(void)rmdir(datapath->pin_dir);
}
