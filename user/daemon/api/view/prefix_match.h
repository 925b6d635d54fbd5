/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds the prefix of an access list that decides about an address, as the program's trie
 * does. Pure.
 */
#ifndef SLUICE_DAEMON_API_VIEW_PREFIX_MATCH_H
#define SLUICE_DAEMON_API_VIEW_PREFIX_MATCH_H

#include <stdbool.h>

struct ip;
struct prefix;
struct prefix_list;

/* Whether the address is in the prefix. */
bool view_covers(const struct prefix *prefix, const struct ip *ip);

/* The longest prefix of the list that holds the address; NULL: none. */
const struct prefix *view_longest(const struct prefix_list *list, const struct ip *ip);

#endif
