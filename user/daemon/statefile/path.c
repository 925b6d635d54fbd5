// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/statefile/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "sluice/api.h"

#define DEFAULT_DIR   "/var/lib/sluice"

#define NAME_SIZE_MAX 240 /* of 255, for endings such as .bad.99 */

int statefile_default_path(const char *socket_path, char ret_path[static STATEFILE_PATH_SIZE])
{
	static const char hex[] = "0123456789ABCDEF";
	_cleanup_(cleanup_free) char *real = realpath(socket_path, NULL);
	const char *from = real ?: socket_path;
	size_t used;

	if (!strcmp(from, SL_API_SOCKET) || !strcmp(socket_path, SL_API_SOCKET)) {
		(void)snprintf(ret_path, STATEFILE_PATH_SIZE, DEFAULT_DIR "/state");
		return 0;
	}
	used = (size_t)snprintf(ret_path, STATEFILE_PATH_SIZE, DEFAULT_DIR "/state-");
	for (from += *from == '/'; *from; from++) {
		bool plain = !strchr("-%", *from) && *from > 0x20 && *from < 0x7f;

		if (used - strlen(DEFAULT_DIR) > NAME_SIZE_MAX)
			return -ENAMETOOLONG;
		if (*from == '/')
			ret_path[used++] = '-';
		else if (plain)
			ret_path[used++] = *from;
		else
			used += (size_t)snprintf(ret_path + used, STATEFILE_PATH_SIZE - used,
						 "%%%c%c", hex[(unsigned char)*from >> 4],
						 hex[*from & 15]);
	}
	ret_path[used] = '\0';
	return 0;
}

void statefile_directory(const char *path, char ret_directory[static STATEFILE_PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	if (slash)
		(void)snprintf(ret_directory, STATEFILE_PATH_SIZE, "%.*s",
			       slash > path ? (int)(slash - path) : 1, path);
	else
		(void)snprintf(ret_directory, STATEFILE_PATH_SIZE, ".");
}

int statefile_sync(const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	char directory[STATEFILE_PATH_SIZE];

	statefile_directory(path, directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? -errno : 0;
}
