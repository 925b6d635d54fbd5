// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/prefixes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/program/maps.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

void prefixes_init(struct prefixes *prefixes, const struct maps *maps)
{
	prefixes->maps = maps;
}

void prefixes_done(struct prefixes *prefixes)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&prefixes->sets, NULL); node; node = next) {
		struct prefix_set *set = HASH_ENTRY(node, struct prefix_set, node);

		next = hashtable_next(&prefixes->sets, node);
		free(set->entries);
		free(set);
	}
	hashtable_done(&prefixes->sets);
}

static bool equal_list(const struct hash_node *node, const void *key)
{
	return HASH_ENTRY(node, const struct prefix_set, node)->list == *(const unsigned *)key;
}

static struct prefix_set *find_set(const struct prefixes *prefixes, unsigned list)
{
	struct hash_node *node = hashtable_find(&prefixes->sets, hash_bytes(&list, sizeof(list), 0),
						&list, equal_list);

	return node ? HASH_ENTRY(node, struct prefix_set, node) : NULL;
}

const struct prefix_set *prefixes_find(const struct prefixes *prefixes, unsigned list)
{
	return find_set(prefixes, list);
}

static struct prefix_set *find_or_make_set(struct prefixes *prefixes, unsigned list)
{
	struct prefix_set *set = find_set(prefixes, list);

	if (set)
		return set;
	set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->list = list;
	if (!hashtable_insert(&prefixes->sets, &set->node, hash_bytes(&list, sizeof(list), 0)))
		return set;
	free(set);
	return NULL;
}

static int compare_entries(const void *a, const void *b)
{
	yield_point();
	return prefix_compare(&((const struct prefix_entry *)a)->prefix,
			      &((const struct prefix_entry *)b)->prefix);
}

static struct sl_prefix wire_prefix(unsigned list, const struct prefix *prefix)
{
	bool ipv6 = prefix->ip.family == SL_FAMILY_IPV6;

	return (struct sl_prefix){
		.bits = SL_PREFIX_FIXED + prefix->bits + (ipv6 ? 0 : 96),
		.list = list << 1 | ipv6,
		.addr = prefix->ip.addr,
	};
}

static int write_entry(const struct prefixes *prefixes, unsigned list,
		       const struct prefix_entry *entry)
{
	struct sl_prefix key = wire_prefix(list, &entry->prefix);
	struct sl_access value = { .deny = entry->deny, .expires = entry->expires };

	yield_point();
	return bpf_map_update_elem(prefixes->maps->map[MAP_PREFIXES].fd, &key, &value, BPF_ANY)
		       ? -errno
		       : 0;
}

static void remove_entry(const struct prefixes *prefixes, unsigned list,
			 const struct prefix_entry *entry)
{
	struct sl_prefix key = wire_prefix(list, &entry->prefix);

	yield_point();
	(void)bpf_map_delete_elem(prefixes->maps->map[MAP_PREFIXES].fd, &key);
}

static bool same_value(const struct prefix_entry *a, const struct prefix_entry *b)
{
	return a->deny == b->deny && a->expires == b->expires;
}

/* Writes the entries that `to` has and `from` has not, of those that deny or of those that
 * allow; both sets are sorted.
 */
static int add_missing(const struct prefixes *prefixes, const struct prefix_set *from,
		       const struct prefix_set *to, bool deny)
{
	size_t i = 0;
	int error = 0;

	for (size_t j = 0; !error && j < to->n; j++) {
		while (i < from->n && compare_entries(&from->entries[i], &to->entries[j]) < 0)
			i++;
		if (to->entries[j].deny != deny)
			continue;
		if (i == from->n || compare_entries(&from->entries[i], &to->entries[j]) ||
		    !same_value(&from->entries[i], &to->entries[j]))
			error = write_entry(prefixes, to->list, &to->entries[j]);
	}
	return error;
}

static void remove_surplus(const struct prefixes *prefixes, const struct prefix_set *from,
			   const struct prefix_set *to, bool deny)
{
	size_t j = 0;

	for (size_t i = 0; i < from->n; i++) {
		while (j < to->n && compare_entries(&to->entries[j], &from->entries[i]) < 0)
			j++;
		if (from->entries[i].deny == deny &&
		    (j == to->n || compare_entries(&to->entries[j], &from->entries[i])))
			remove_entry(prefixes, from->list, &from->entries[i]);
	}
}

int prefixes_change(struct prefixes *prefixes, unsigned list, struct prefix_entry *entries,
		    size_t n)
{
	_cleanup_(cleanup_free) struct prefix_entry *owned = entries;
	struct prefix_set *set = find_or_make_set(prefixes, list);
	const struct prefix_set to = { .list = list, .entries = entries, .n = n };
	int error;

	if (!set)
		return -ENOMEM;
	if (n)
		qsort(entries, n, sizeof(*entries), compare_entries);
	error = add_missing(prefixes, set, &to, false) ?: add_missing(prefixes, set, &to, true);
	if (error) {
		/* Removes the entries that were written on the way. */
		(void)add_missing(prefixes, &to, set, false);
		(void)add_missing(prefixes, &to, set, true);
		remove_surplus(prefixes, &to, set, true);
		remove_surplus(prefixes, &to, set, false);
		return error;
	}
	remove_surplus(prefixes, set, &to, true);
	remove_surplus(prefixes, set, &to, false);
	free(set->entries);
	set->entries = TAKE_PTR(owned);
	set->n = n;
	return 0;
}

void prefixes_clear(struct prefixes *prefixes, unsigned list)
{
	struct prefix_set *set = find_set(prefixes, list);

	if (!set)
		return;
	(void)prefixes_change(prefixes, list, NULL, 0);
	hashtable_remove(&prefixes->sets, &set->node);
	free(set);
}

void prefixes_use(const struct prefixes *prefixes, unsigned bit, bool on)
{
	unsigned *access = &prefixes->maps->tuning->access;

	__atomic_store_n(access, on ? *access | bit : *access & ~bit, __ATOMIC_RELEASE);
}

/* ---- adopting maps --------------------------------------------------- */

static struct prefix_entry learned_entry(const struct sl_prefix *key, const struct sl_access *value)
{
	bool ipv6 = key->list & 1;

	return (struct prefix_entry){
		.prefix = { .ip = { .addr = key->addr,
				    .family = ipv6 ? SL_FAMILY_IPV6 : SL_FAMILY_IPV4 },
			    .bits = key->bits - SL_PREFIX_FIXED - (ipv6 ? 0 : 96) },
		.deny = value->deny,
		.expires = value->expires,
	};
}

static int learn_prefix(struct prefixes *prefixes, const struct sl_prefix *key,
			const struct sl_access *value)
{
	struct prefix_set *set;
	struct prefix_entry *entries;

	if (key->bits < SL_PREFIX_FIXED + (key->list & 1 ? 0 : 96) ||
	    key->bits > SL_PREFIX_FIXED + 128)
		return -EPROTO;
	set = find_or_make_set(prefixes, key->list >> 1);
	if (!set)
		return -ENOMEM;
	/* Grows by doubling: a power of two is full. */
	if (!(set->n & (set->n - 1))) {
		entries = reallocarray(set->entries, set->n ? set->n * 2 : 1, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		set->entries = entries;
	}
	set->entries[set->n++] = learned_entry(key, value);
	return 0;
}

void prefixes_keep(struct prefixes *prefixes, prefixes_keep_fn *keep, const void *arg)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&prefixes->sets, NULL); node; node = next) {
		unsigned list = HASH_ENTRY(node, struct prefix_set, node)->list;

		next = hashtable_next(&prefixes->sets, node);
		if (!keep(arg, list))
			prefixes_clear(prefixes, list);
	}
}

int prefixes_learn(struct prefixes *prefixes)
{
	int fd = prefixes->maps->map[MAP_PREFIXES].fd, error = 0;
	struct sl_prefix key, last;
	struct sl_access value;
	struct hash_node *node = NULL;

	for (bool begun = false; !error; begun = true) {
		if (bpf_map_get_next_key(fd, begun ? &last : NULL, &key)) {
			error = errno == ENOENT ? 0 : -errno;
			break;
		}
		last = key;
		if (!bpf_map_lookup_elem(fd, &key, &value))
			error = learn_prefix(prefixes, &key, &value);
	}
	while ((node = hashtable_next(&prefixes->sets, node))) {
		struct prefix_set *set = HASH_ENTRY(node, struct prefix_set, node);

		qsort(set->entries, set->n, sizeof(*set->entries), compare_entries);
	}
	return error;
}
