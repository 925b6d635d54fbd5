/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of several words is meant by one that was mistyped: how far apart they are.
 */
#ifndef SLUICE_LIB_BASE_SUGGEST_H
#define SLUICE_LIB_BASE_SUGGEST_H

#include <stddef.h>

/* The i-th of the words that there are; NULL: there are no more. */
typedef const char *suggest_word_fn(const void *words, size_t i);

/* The word that a text of another spelling means, probably, or a word of IPVS, keepalived or
 * HAProxy; NULL: none is near.
 */
const char *suggest_word(const char *text, suggest_word_fn *word, const void *words);

/* The same, of a list that ends with NULL. */
const char *suggest_list(const char *text, const char *const *words);

/* How many letters must be changed, added, removed or swapped with their
 * neighbour to make b of a; a large number where either is longer than 63.
 */
unsigned suggest_distance(const char *a, const char *b);

#endif
