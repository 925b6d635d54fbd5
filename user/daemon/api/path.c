/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The path of a request, split and decoded. Pure.
 */
#include "daemon/api/path.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int hex_value(char digit)
{
	if (!isxdigit((unsigned char)digit))
		return -1;
	return isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

int api_decode(const char *text, size_t length, char *buffer, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char byte = text[i];

		if (byte == '%') {
			int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
			int low = i + 2 < length ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			byte = (char)(high << 4 | low);
			i += 2;
		}
		if (!byte)
			return -EINVAL;
		if (used + 1 >= size)
			return -ENAMETOOLONG;
		buffer[used++] = byte;
	}
	buffer[used] = '\0';
	return 0;
}

int api_path_parse(const char *text, struct api_path *ret_path)
{
	struct api_path path = {};

	if (*text != '/')
		return -EINVAL;
	while (*text == '/') {
		size_t length = strcspn(++text, "/");
		int error;

		if (path.n_segments == API_SEGMENTS_MAX)
			return -ENAMETOOLONG;
		error = api_decode(text, length, path.segments[path.n_segments++],
				   API_SEGMENT_SIZE);
		if (error)
			return error;
		text += length;
	}
	*ret_path = path;
	return 0;
}

bool api_path_matches(const struct api_path *path, const char *pattern)
{
	for (size_t i = 0; i < path->n_segments; i++) {
		const char *segment = path->segments[i];
		size_t length;

		if (*pattern != '/')
			return false;
		length = strcspn(++pattern, "/");
		if (*pattern == '{' ? !segment[0]
				    : strlen(segment) != length || memcmp(segment, pattern, length))
			return false;
		pattern += length;
	}
	return !*pattern;
}

const char *api_path_name(const struct api_path *path, const char *pattern, const char *name)
{
	size_t wanted = strlen(name);

	for (size_t i = 0; i < path->n_segments; i++) {
		size_t length = strcspn(++pattern, "/");

		if (length == wanted + 2 && pattern[0] == '{' &&
		    memcmp(pattern + 1, name, wanted) == 0)
			return path->segments[i];
		pattern += length;
	}
	return NULL;
}
