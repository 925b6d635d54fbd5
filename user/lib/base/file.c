// SPDX-License-Identifier: BSD-2-Clause
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

static int open_regular(const char *path)
{
	struct stat status;
	int fd;

	if (stat(path, &status) != 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!S_ISREG(status.st_mode))
		return -ENOTSUP;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	(void)close(fd); /* it was exchanged in between */
	return -ENOTSUP;
}

#define PIECE ((size_t)256 << 10)

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int read_all(int fd, size_t max, char **ret_text, size_t *ret_length)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t length = 0;
	size_t size = 0;

	for (;;) {
		ssize_t got;

		if (length == size) {
			char *larger = realloc(text, size ? size * 2 : 64 * 1024);

			if (!larger)
				return -ENOMEM;
			text = larger;
			size = size ? size * 2 : 64 * 1024;
		}
		yield_point();
		got = read(fd, text + length, smaller(size - length, PIECE));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		length += (size_t)got;
		if (length > max)
			return -EFBIG;
	}
	*ret_text = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

int file_read(const char *path, size_t max, char **ret_text, size_t *ret_length)
{
	_cleanup_(cleanup_close) int fd = open_regular(path);

	return fd < 0 ? fd : read_all(fd, max, ret_text, ret_length);
}
