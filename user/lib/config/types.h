/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The types of values that more than one section has. For lib/config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_TYPES_H
#define SLUICE_LIB_CONFIG_TYPES_H

#include "lib/config/section.h"

extern const struct type type_number;   /* unsigned, within min and max */
extern const struct type type_count;    /* unsigned or larger, within min and max, like 10k */
extern const struct type type_duration; /* unsigned, ms */
extern const struct type type_percent;  /* unsigned */
extern const struct type type_port;     /* __be16 */
extern const struct type type_word;     /* an enum, or another number: the word's value */
extern const struct type type_bool;     /* bool */
extern const struct type type_text;     /* char *, owned; the row says how it is read */
extern const struct type type_prefixes; /* struct prefix_list */
extern const struct type type_section;  /* the struct of key->section */

/* Those that one row has, which stands in another file. */
extern const struct type type_seed;        /* hash_seed and hash_seed_file */
extern const struct type type_min_healthy; /* min_healthy and min_healthy_percent */

/* Items of key->section: in the struct itself and counted by its last member, one of
 * them written without the list; or in an array of their own, owned: a pointer and a
 * size_t. The row says how they are read.
 */
extern const struct type type_array;
extern const struct type type_list;

/* For rows that refuse more than their type does. */
read_fn read_number;
read_fn read_count;

/* Of an array or a list, its last member. */
size_t key_count(const struct key *key, const void *object);

/* Gives a list n items (1 or more), all zeros. NULL: out of memory. */
void *list_new(const struct key *key, void *object, size_t n);

#endif
