/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The path of a request, split and decoded (RFC 3986 sections 2.1 and 3.3).
 */
#ifndef SLUICE_DAEMON_API_PATH_H
#define SLUICE_DAEMON_API_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define API_SEGMENTS_MAX 5
#define API_SEGMENT_SIZE 256

struct api_path {
	char segments[API_SEGMENTS_MAX][API_SEGMENT_SIZE]; /* decoded */
	size_t n_segments;
};

/* Decodes %XX into buffer. -EINVAL: malformed, or a NUL; -ENAMETOOLONG. */
int api_decode(const char *text, size_t length, char *buffer, size_t size);

/* Splits at '/' and decodes after that, so that %2F is part of a name. -EINVAL:
 * malformed; -ENAMETOOLONG: longer than the path of any route.
 */
int api_path_parse(const char *text, struct api_path *ret_path);

/* pattern: "/v1/services/{name}"; a segment in braces matches any name. */
bool api_path_matches(const struct api_path *path, const char *pattern);

/* The segment in the place of {name}, of a path that matches the pattern; NULL: the
 * pattern has no such place.
 */
const char *api_path_name(const struct api_path *path, const char *pattern, const char *name);

#endif
