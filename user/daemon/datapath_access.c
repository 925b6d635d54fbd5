// SPDX-License-Identifier: BSD-2-Clause
/* Lists of prefixes in the trie. What each list holds is remembered here, sorted,
 * so that a change writes what differs. While a list changes under packets, nobody
 * is denied whom neither the old nor the new list denies: what allows is added
 * first and taken out last.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath_internal.h"
#include "lib/cleanup.h"
#include "lib/diag.h"

struct entry {
	struct prefix prefix;
	bool deny;
	unsigned expires; /* SL_SECONDs; 0: never */
};

/* What one list of the trie holds. */
struct set {
	struct hash_node node; /* in access_state.sets, by list */
	unsigned list;
	struct entry *entries; /* sorted by prefix_compare() */
	size_t n;
};

struct access_state {
	struct hashtable sets;
	struct idpool *lists; /* of services: list SL_LIST_SERVICE + id */
	unsigned *list_users; /* by id: entries that name it */
	unsigned unnamed;     /* a list that nobody has named yet; 0: none */
};

/* Every service may have one, and a changed one is put where the old one was. */
static unsigned capacity(const struct datapath *datapath)
{
	return datapath->maps.map[MAP_SERVICE_STAT].entries + 2;
}

int access_init(struct datapath *datapath)
{
	struct access_state *state = calloc(1, sizeof(*state));

	datapath->access = state;
	if (!state || idpool_new(capacity(datapath), &state->lists))
		return -ENOMEM;
	state->list_users = calloc(capacity(datapath), sizeof(*state->list_users));
	return state->list_users ? 0 : -ENOMEM;
}

void access_free(struct datapath *datapath)
{
	struct access_state *state = datapath->access;
	struct hash_node *node, *next;

	if (!state)
		return;
	for (node = hashtable_next(&state->sets, NULL); node; node = next) {
		struct set *set = HASH_ENTRY(node, struct set, node);

		next = hashtable_next(&state->sets, node);
		free(set->entries);
		free(set);
	}
	hashtable_done(&state->sets);
	idpool_free(state->lists);
	free(state->list_users);
	free(state);
}

void access_recycle(struct datapath *datapath)
{
	idpool_recycle(datapath->access->lists);
}

/* ---- sets --------------------------------------------------------------------- */

static bool equal_list(const struct hash_node *node, const void *key)
{
	return HASH_ENTRY(node, const struct set, node)->list == *(const unsigned *)key;
}

static struct set *find_set(const struct datapath *datapath, unsigned list)
{
	struct hash_node *node = hashtable_find(
		&datapath->access->sets, hash_bytes(&list, sizeof(list), 0), &list, equal_list);

	return node ? HASH_ENTRY(node, struct set, node) : NULL;
}

static struct set *find_or_make_set(struct datapath *datapath, unsigned list)
{
	struct set *set = find_set(datapath, list);

	if (set)
		return set;
	set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->list = list;
	if (!hashtable_insert(&datapath->access->sets, &set->node,
			      hash_bytes(&list, sizeof(list), 0)))
		return set;
	free(set);
	return NULL;
}

static int compare_entries(const void *a, const void *b)
{
	return prefix_compare(&((const struct entry *)a)->prefix,
			      &((const struct entry *)b)->prefix);
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

static int write_entry(const struct datapath *datapath, unsigned list, const struct entry *entry)
{
	struct sl_prefix key = wire_prefix(list, &entry->prefix);
	struct sl_access value = { .deny = entry->deny, .expires = entry->expires };

	return bpf_map_update_elem(datapath->maps.map[MAP_PREFIXES].fd, &key, &value, BPF_ANY)
		       ? -errno
		       : 0;
}

static void remove_entry(const struct datapath *datapath, unsigned list, const struct entry *entry)
{
	struct sl_prefix key = wire_prefix(list, &entry->prefix);

	(void)bpf_map_delete_elem(datapath->maps.map[MAP_PREFIXES].fd, &key);
}

static bool same_value(const struct entry *a, const struct entry *b)
{
	return a->deny == b->deny && a->expires == b->expires;
}

/* Writes what `to` has and `from` has not, of what denies or of what does not; both
 * are sorted.
 */
static int add_missing(const struct datapath *datapath, const struct set *from,
		       const struct set *to, bool deny)
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

static void remove_surplus(const struct datapath *datapath, const struct set *from,
			   const struct set *to, bool deny)
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

/* Makes the list hold `entries` (sorted), which become the set's. */
static int change_set(struct datapath *datapath, unsigned list, struct entry *entries, size_t n)
{
	_cleanup_(cleanup_free) struct entry *owned = entries;
	struct set *set = find_or_make_set(datapath, list);
	const struct set to = { .list = list, .entries = entries, .n = n };
	int error;

	if (!set)
		return -ENOMEM;
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

static void clear_set(struct datapath *datapath, unsigned list)
{
	struct set *set = find_set(datapath, list);

	if (!set)
		return;
	(void)change_set(datapath, list, NULL, 0);
	hashtable_remove(&datapath->access->sets, &set->node);
	free(set);
}

/* ---- from the configuration ---------------------------------------------------- */

static void append(struct entry *entries, size_t *n, const struct prefix_list *list, bool deny)
{
	for (size_t i = 0; i < list->n; i++)
		entries[(*n)++] = (struct entry){ .prefix = list->prefixes[i], .deny = deny };
}

/* Where some are allowed, all others are denied, unless they are named. */
static void append_others(struct entry *entries, size_t *n)
{
	static const struct prefix all[] = {
		{ .ip = { .family = SL_FAMILY_IPV4, .addr.bytes = { [10] = 0xff, [11] = 0xff } } },
		{ .ip = { .family = SL_FAMILY_IPV6 } },
	};
	size_t named = *n;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		bool found = false;
		struct entry others = { .prefix = all[i], .deny = true };

		for (size_t j = 0; !found && j < named; j++)
			found = !compare_entries(&entries[j], &others);
		if (!found)
			entries[(*n)++] = others;
	}
}

static int put_list(struct datapath *datapath, unsigned list, const struct access_config *access)
{
	struct entry *entries = calloc(access->allow.n + access->deny.n + 2, sizeof(*entries));
	size_t n = 0;

	if (!entries)
		return -ENOMEM;
	append(entries, &n, &access->allow, false);
	append(entries, &n, &access->deny, true);
	if (access->allow.n)
		append_others(entries, &n);
	qsort(entries, n, sizeof(*entries), compare_entries);
	return change_set(datapath, list, entries, n);
}

static bool is_empty(const struct access_config *access)
{
	return !access->allow.n && !access->deny.n;
}

static int no_room(struct diag *diag, int error)
{
	return diag_set(diag, -error, "the maps have no room for its allow and deny lists: %s",
			strerror(-error));
}

static unsigned running_list(const struct datapath *datapath, const struct sl_key *keys,
			     size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++) {
		const struct installed *installed = installed_find(datapath, &keys[i]);

		if (installed && installed->entry &&
		    datapath->maps.services[installed->entry].access)
			return datapath->maps.services[installed->entry].access;
	}
	return 0;
}

static void drop_list(struct datapath *datapath, unsigned list)
{
	clear_set(datapath, list);
	idpool_retire(datapath->access->lists, list - SL_LIST_SERVICE);
}

int datapath_put_access(struct datapath *datapath, const struct access_config *access,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_list)
{
	struct access_state *state = datapath->access;
	unsigned list = running_list(datapath, keys, n_keys), id;
	int error;

	/* Of a change that failed before anybody named it. */
	if (state->unnamed)
		drop_list(datapath, state->unnamed);
	state->unnamed = 0;
	*ret_list = 0;
	if (is_empty(access))
		return 0;
	if (!list) {
		id = take_index(datapath, state->lists);
		if (!id)
			return no_room(diag, -ENOSPC);
		list = state->unnamed = SL_LIST_SERVICE + id;
	}
	error = put_list(datapath, list, access);
	if (error)
		return no_room(diag, error);
	*ret_list = list;
	return 0;
}

static void set_tuning(struct datapath *datapath, unsigned bit, bool on)
{
	unsigned *access = &datapath->maps.tuning->access;

	__atomic_store_n(access, on ? *access | bit : *access & ~bit, __ATOMIC_RELEASE);
}

int datapath_put_access_all(struct datapath *datapath, const struct access_config *access,
			    struct diag *diag)
{
	int error;

	if (is_empty(access)) {
		set_tuning(datapath, SL_TUNING_ALL, false);
		clear_set(datapath, SL_LIST_ALL);
		return 0;
	}
	error = put_list(datapath, SL_LIST_ALL, access);
	if (error)
		return no_room(diag, error);
	set_tuning(datapath, SL_TUNING_ALL, true);
	return 0;
}

int access_put_exempt(struct datapath *datapath, unsigned number, const struct prefix_list *list)
{
	const struct access_config exempt = { .deny = *list };

	if (!list->n) {
		clear_set(datapath, SL_LIST_EXEMPT | number);
		return 0;
	}
	return put_list(datapath, SL_LIST_EXEMPT | number, &exempt);
}

/* ---- who names a list ----------------------------------------------------------- */

void access_use(struct datapath *datapath, const struct sl_service *entry)
{
	struct access_state *state = datapath->access;

	if (!entry->access)
		return;
	state->list_users[entry->access - SL_LIST_SERVICE]++;
	if (state->unnamed == entry->access)
		state->unnamed = 0;
}

void access_release(struct datapath *datapath, const struct sl_service *entry)
{
	if (entry->access && !--datapath->access->list_users[entry->access - SL_LIST_SERVICE])
		drop_list(datapath, entry->access);
}

int access_learn(struct datapath *datapath, const struct sl_service *entry)
{
	struct access_state *state = datapath->access;
	unsigned id = entry->access - SL_LIST_SERVICE;

	if (!entry->access)
		return 0;
	if (!id || id >= capacity(datapath))
		return -EPROTO;
	if (!state->list_users[id]++ && idpool_claim(state->lists, id))
		return -EPROTO;
	return 0;
}

/* ---- what the operator denies ---------------------------------------------------- */

/* A copy with the prefix set, or (NULL) taken out. */
static int change_runtime(struct datapath *datapath, const struct prefix *out,
			  const struct entry *in)
{
	const struct set *set = find_set(datapath, SL_LIST_RUNTIME);
	size_t n = set ? set->n : 0, kept = 0;
	struct entry *entries = calloc(n + 1, sizeof(*entries));
	int error;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (prefix_compare(&set->entries[i].prefix, out))
			entries[kept++] = set->entries[i];
	if (!in && kept == n) {
		free(entries);
		return -ENOENT;
	}
	if (in)
		entries[kept++] = *in;
	qsort(entries, kept, sizeof(*entries), compare_entries);
	error = change_set(datapath, SL_LIST_RUNTIME, entries, kept);
	if (!error)
		set_tuning(datapath, SL_TUNING_RUNTIME, kept != 0);
	return error;
}

int datapath_deny(struct datapath *datapath, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag)
{
	const struct entry entry = {
		.prefix = *prefix,
		.deny = true,
		/* Not sooner than asked for: the second that runs is partly over. 0 would be
		 * for ever.
		 */
		.expires = seconds ? (datapath_now() + coarse_timeout(seconds * 1000) + 1) ?: 1 : 0,
	};
	int error = change_runtime(datapath, prefix, &entry);

	return error ? diag_set(diag, -error, "the maps have no room for it: %s", strerror(-error))
		     : 0;
}

int datapath_undeny(struct datapath *datapath, const struct prefix *prefix)
{
	return change_runtime(datapath, prefix, NULL);
}

/* Without the second that datapath_deny() adds, so that nobody reads of more than
 * was asked for.
 */
static unsigned seconds_left(const struct entry *entry)
{
	int left = (int)(entry->expires - datapath_now()) - 1;

	if (!entry->expires)
		return 0;
	return left > 0 ? (unsigned)(((unsigned long long)left << SL_SECOND_SHIFT) / 1000000000)
			: 1;
}

int datapath_denied(const struct datapath *datapath, struct denied **ret_denied, size_t *ret_n)
{
	const struct set *set = find_set(datapath, SL_LIST_RUNTIME);
	size_t n = set ? set->n : 0;
	struct denied *denied = calloc(n + 1, sizeof(*denied));

	if (!denied)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		denied[i] = (struct denied){
			.prefix = set->entries[i].prefix,
			.seconds = seconds_left(&set->entries[i]),
		};
	*ret_denied = denied;
	*ret_n = n;
	return 0;
}

void datapath_access_tick(struct datapath *datapath)
{
	const struct set *set = find_set(datapath, SL_LIST_RUNTIME);
	unsigned now = datapath_now();

	for (size_t i = 0; set && i < set->n;) {
		if (!set->entries[i].expires || (int)(set->entries[i].expires - now) > 0) {
			i++;
			continue;
		}
		if (datapath_undeny(datapath, &(struct prefix){ set->entries[i].prefix.ip,
								set->entries[i].prefix.bits }))
			return;
		set = find_set(datapath, SL_LIST_RUNTIME);
	}
}

/* ---- what a predecessor has left --------------------------------------------------- */

static struct entry learned_entry(const struct sl_prefix *key, const struct sl_access *value)
{
	bool ipv6 = key->list & 1;

	return (struct entry){
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
	struct set *set;
	struct entry *entries;

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

int access_learn_prefixes(struct datapath *datapath)
{
	int fd = datapath->maps.map[MAP_PREFIXES].fd, error = 0;
	struct sl_prefix key, last;
	struct sl_access value;
	struct hash_node *node = NULL;

	for (bool begun = false; !error; begun = true) {
		if (bpf_map_get_next_key(fd, begun ? &last : NULL, &key))
			break;
		last = key;
		if (!bpf_map_lookup_elem(fd, &key, &value))
			error = learn_prefix(datapath, &key, &value);
	}
	while ((node = hashtable_next(&datapath->access->sets, node))) {
		struct set *set = HASH_ENTRY(node, struct set, node);

		qsort(set->entries, set->n, sizeof(*set->entries), compare_entries);
	}
	return error;
}
