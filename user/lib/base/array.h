/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The number of elements of an array.
 */
#ifndef SLUICE_LIB_BASE_ARRAY_H
#define SLUICE_LIB_BASE_ARRAY_H

/* The argument must be an array: of a pointer, the result would mean nothing. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
