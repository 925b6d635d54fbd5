/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of several words is meant by one that was mistyped: how far apart they are.
 */
#ifndef SLUICE_LIB_BASE_SUGGEST_H
#define SLUICE_LIB_BASE_SUGGEST_H

#include <stddef.h>

/* How many letters must be changed, added, removed or swapped with their
 * neighbour to make b of a; a large number where either is longer than 63.
 */
unsigned suggest_distance(const char *a, const char *b);

#endif
