/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading whole files.
 */
#ifndef SLUICE_LIB_BASE_FILE_H
#define SLUICE_LIB_BASE_FILE_H

#include <stddef.h>

/* Reads a regular file (or a link to one) of at most max bytes. *ret_text is the caller's to
 * free, and not NUL-terminated. 0 or -errno, of which -EISDIR: a directory; -ENOTSUP: another
 * file that is not regular, which is not opened, since that could wait for ever or set a device
 * going; -EFBIG: more than max.
 */
int file_read(const char *path, size_t max, char **ret_text, size_t *ret_length);

#endif
