/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ownership by attribute: a resource is released where it is declared, and
 * taken out (TAKE_PTR, TAKE_FD) as the last line on success.
 */
#ifndef SLUICE_LIB_BASE_CLEANUP_H
#define SLUICE_LIB_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Defines FUNCTIONp(), with which _cleanup_() releases a variable of this type by
 * FUNCTION(); an empty variable is left alone. A header defines it beside FUNCTION().
 */
#define DEFINE_CLEANUP(function, type)                 \
	static inline void function##p(type *variable) \
	{                                              \
		if (*variable)                         \
			function(*variable);           \
	}                                              \
	struct function##_cleanup_needs_a_semicolon

#define TAKE_PTR(pointer)                       \
	({                                      \
		__auto_type taken_ = (pointer); \
		(pointer) = NULL;               \
		taken_;                         \
	})

#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

/* Each takes a pointer to the variable and accepts an empty one. */
static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

#endif
