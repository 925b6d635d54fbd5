/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of prefixes as values. For lib/config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_PREFIX_LIST_H
#define SLUICE_LIB_CONFIG_PREFIX_LIST_H

#include <stdbool.h>

struct prefix;
struct prefix_list;

/* Sorts list->prefixes, and takes out what is there already. */
void prefix_list_sort(struct prefix_list *list);

/* *ret_copy is empty on failure. 0 or -ENOMEM. */
int prefix_list_copy(const struct prefix_list *from, struct prefix_list *ret_copy);
void prefix_list_done(struct prefix_list *list);

/* The same prefixes and the same files; what of it the configuration lists itself,
 * and in which order, does not count.
 */
bool prefix_list_equal(const struct prefix_list *a, const struct prefix_list *b);

/* The first prefix that is in both, or NULL. */
const struct prefix *prefix_list_common(const struct prefix_list *a, const struct prefix_list *b);

#endif
