// SPDX-License-Identifier: BSD-2-Clause
/* What each list holds is remembered here, sorted, so that a change writes what
 * differs. While a list changes under packets, nobody is denied whom neither the
 * old nor the new list denies: what allows is added first and taken out last.
 */
#include "daemon/datapath/prefixes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"

void prefixes_free(struct datapath *datapath)
{
	struct hash_node *node, *next;

	for (node = hashtable_next(&datapath->prefixes, NULL); node; node = next) {
		struct prefix_set *set = HASH_ENTRY(node, struct prefix_set, node);

		next = hashtable_next(&datapath->prefixes, node);
		free(set->entries);
		free(set);
	}
	hashtable_done(&datapath->prefixes);
}

static bool equal_list(const struct hash_node *node, const void *key)
{
	return HASH_ENTRY(node, const struct prefix_set, node)->list == *(const unsigned *)key;
}

static struct prefix_set *find_set(const struct datapath *datapath, unsigned list)
{
	struct hash_node *node = hashtable_find(
		&datapath->prefixes, hash_bytes(&list, sizeof(list), 0), &list, equal_list);

	return node ? HASH_ENTRY(node, struct prefix_set, node) : NULL;
}

const struct prefix_set *prefixes_find(const struct datapath *datapath, unsigned list)
{
	return find_set(datapath, list);
}

static struct prefix_set *find_or_make_set(struct datapath *datapath, unsigned list)
{
	struct prefix_set *set = find_set(datapath, list);

	if (set)
		return set;
	set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->list = list;
	if (!hashtable_insert(&datapath->prefixes, &set->node, hash_bytes(&list, sizeof(list), 0)))
		return set;
	free(set);
	return NULL;
}

static int compare_entries(const void *a, const void *b)
{
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

static int write_entry(const struct datapath *datapath, unsigned list,
		       const struct prefix_entry *entry)
{
	struct sl_prefix key = wire_prefix(list, &entry->prefix);
	struct sl_access value = { .deny = entry->deny, .expires = entry->expires };

	return bpf_map_update_elem(datapath->maps.map[MAP_PREFIXES].fd, &key, &value, BPF_ANY)
		       ? -errno
		       : 0;
}

static void remove_entry(const struct datapath *datapath, unsigned list,
			 const struct prefix_entry *entry)
{
	struct sl_prefix key = wire_prefix(list, &entry->prefix);

	(void)bpf_map_delete_elem(datapath->maps.map[MAP_PREFIXES].fd, &key);
}

static bool same_value(const struct prefix_entry *a, const struct prefix_entry *b)
{
	return a->deny == b->deny && a->expires == b->expires;
}

/* Writes what `to` has and `from` has not, of what denies or of what does not; both
 * are sorted.
 */
static int add_missing(const struct datapath *datapath, const struct prefix_set *from,
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
			error = write_entry(datapath, to->list, &to->entries[j]);
	}
	return error;
}

static void remove_surplus(const struct datapath *datapath, const struct prefix_set *from,
			   const struct prefix_set *to, bool deny)
{
	size_t j = 0;

	for (size_t i = 0; i < from->n; i++) {
		while (j < to->n && compare_entries(&to->entries[j], &from->entries[i]) < 0)
			j++;
		if (from->entries[i].deny == deny &&
		    (j == to->n || compare_entries(&to->entries[j], &from->entries[i])))
			remove_entry(datapath, from->list, &from->entries[i]);
	}
}

int prefixes_change(struct datapath *datapath, unsigned list, struct prefix_entry *entries,
		    size_t n)
{
	_cleanup_(cleanup_free) struct prefix_entry *owned = entries;
	struct prefix_set *set = find_or_make_set(datapath, list);
	const struct prefix_set to = { .list = list, .entries = entries, .n = n };
	int error;

	if (!set)
		return -ENOMEM;
	if (n)
		qsort(entries, n, sizeof(*entries), compare_entries);
	error = add_missing(datapath, set, &to, false) ?: add_missing(datapath, set, &to, true);
	if (error) {
		/* What was written on the way goes again. */
		(void)add_missing(datapath, &to, set, false);
		(void)add_missing(datapath, &to, set, true);
		remove_surplus(datapath, &to, set, true);
		remove_surplus(datapath, &to, set, false);
		return error;
	}
	remove_surplus(datapath, set, &to, true);
	remove_surplus(datapath, set, &to, false);
	free(set->entries);
	set->entries = TAKE_PTR(owned);
	set->n = n;
	return 0;
}

void prefixes_clear(struct datapath *datapath, unsigned list)
{
	struct prefix_set *set = find_set(datapath, list);

	if (!set)
		return;
	(void)prefixes_change(datapath, list, NULL, 0);
	hashtable_remove(&datapath->prefixes, &set->node);
	free(set);
}

void prefixes_use(struct datapath *datapath, unsigned bit, bool on)
{
	unsigned *access = &datapath->maps.tuning->access;

	__atomic_store_n(access, on ? *access | bit : *access & ~bit, __ATOMIC_RELEASE);
}

/* ---- what a predecessor has left --------------------------------------------------- */

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

static int learn_prefix(struct datapath *datapath, const struct sl_prefix *key,
			const struct sl_access *value)
{
	struct prefix_set *set;
	struct prefix_entry *entries;

	if (key->bits < SL_PREFIX_FIXED + (key->list & 1 ? 0 : 96) ||
	    key->bits > SL_PREFIX_FIXED + 128)
		return -EPROTO;
	set = find_or_make_set(datapath, key->list >> 1);
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

int prefixes_learn(struct datapath *datapath)
{
	int fd = datapath->maps.map[MAP_PREFIXES].fd, error = 0;
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
			error = learn_prefix(datapath, &key, &value);
	}
	while ((node = hashtable_next(&datapath->prefixes, node))) {
		struct prefix_set *set = HASH_ENTRY(node, struct prefix_set, node);

		qsort(set->entries, set->n, sizeof(*set->entries), compare_entries);
	}
	return error;
}
