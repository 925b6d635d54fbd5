// SPDX-License-Identifier: BSD-2-Clause
/* Order of the writing: what is new goes to the map, then come the words or marks in shared
 * memory, which lead past the map or to it, and then the map loses what is gone. The map itself
 * says what was there before: a daemon that takes the program over knows no more.
 */
#include "daemon/datapath/ours.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"
#include "lib/config/config.h"

/* ---- a map and a sorted list of what it should hold --------------------------- */

/* Entries: a key, and behind it the value, a word. */
struct wanted {
	const struct map *map;
	const void *entries; /* sorted by key, each once */
	size_t n, entry_size, key_size;
};

#define KEY_SIZE_MAX 32
#define VALUE_NONE   0 /* no entry has it */

static __u32 value_of(const struct wanted *wanted, const void *entry)
{
	__u32 value;

	memcpy(&value, (const char *)entry + wanted->key_size, sizeof(value));
	return value;
}

static const void *find(const struct wanted *wanted, const void *key)
{
	size_t low = 0, high = wanted->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *entry = (const char *)wanted->entries + middle * wanted->entry_size;
		int order = memcmp(key, entry, wanted->key_size);

		if (order == 0)
			return entry;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Writes those that the map lacks, or has with another value. 0, or the last -errno. */
static int put_new(const struct wanted *wanted)
{
	int error = 0;

	for (size_t i = 0; i < wanted->n; i++) {
		const char *entry = (const char *)wanted->entries + i * wanted->entry_size;
		__u32 value = value_of(wanted, entry), present = VALUE_NONE;

		if (!bpf_map_lookup_elem(wanted->map->fd, entry, &present) && present == value)
			continue;
		if (bpf_map_update_elem(wanted->map->fd, entry, &value, BPF_ANY))
			error = -errno;
	}
	return error;
}

static void drop_old(const struct wanted *wanted)
{
	__u8 key[KEY_SIZE_MAX], next[KEY_SIZE_MAX];
	int end = bpf_map_get_next_key(wanted->map->fd, NULL, key);

	while (!end) {
		end = bpf_map_get_next_key(wanted->map->fd, key, next);
		if (!find(wanted, key))
			(void)bpf_map_delete_elem(wanted->map->fd, key);
		memcpy(key, next, sizeof(key));
	}
}

/* ---- stations ------------------------------------------------------------------ */

static int compare_stations(const void *a, const void *b)
{
	const struct known_station *one = a, *other = b;

	return memcmp(&one->key, &other->key, sizeof(one->key))
		       ?: (one->state > other->state) - (one->state < other->state);
}

static __u64 word_of(const struct sl_station *station)
{
	__u64 head = 0;

	memcpy(&head, station->mac, sizeof(station->mac));
	return sl_station_word(head) | station->vlan;
}

#define STATION_WORDS (SL_STATION_LINES * SL_STATION_LINE_SIZE)

/* Gives the word the first place of its line that is free, if there is one. */
static void put_word(__u64 line[static SL_STATION_LINE_SIZE], __u64 word)
{
	for (unsigned i = 0; i < SL_STATION_LINE_SIZE; i++) {
		if (line[i] == SL_STATION_NONE)
			line[i] = word;
		if (line[i] == word)
			return;
	}
}

/* A word does not name its interface. Another interface whose number leads to the same lines
 * would take it for its own, so then neither has words.
 */
static void make_words(__u64 words[static STATION_WORDS], const struct known_station *stations,
		       size_t n)
{
	__u32 interfaces[SL_STATION_LINES] = {};
	bool shared[SL_STATION_LINES] = {};

	for (size_t i = 0; i < n; i++) {
		__u32 ifindex = stations[i].key.ifindex;
		__u32 *interface = &interfaces[sl_station_line(ifindex, 0)];

		if (*interface && *interface != ifindex)
			shared[sl_station_line(ifindex, 0)] = true;
		*interface = ifindex;
	}
	for (unsigned i = 0; i < STATION_WORDS; i++)
		words[i] = SL_STATION_NONE;
	for (size_t i = 0; i < n; i++) {
		const struct sl_station *key = &stations[i].key;
		__u64 word = word_of(key);

		if (stations[i].state == SL_STATION_ACTIVE && !key->inner &&
		    !shared[sl_station_line(key->ifindex, 0)])
			put_word(&words[(size_t)sl_station_line(key->ifindex, word) *
					SL_STATION_LINE_SIZE],
				 word);
	}
}

static void store_words(struct sl_ours *ours, const __u64 words[static STATION_WORDS])
{
	__u64 *stored = &ours->stations[0][0];

	for (unsigned i = 0; i < STATION_WORDS; i++)
		if (stored[i] != words[i])
			__atomic_store_n(&stored[i], words[i], __ATOMIC_RELEASE);
}

/* Makes one of those that have the same key; returns how many are left. */
static size_t unite_stations(struct known_station *stations, size_t n)
{
	size_t used = 0;

	qsort(stations, n, sizeof(*stations), compare_stations);
	for (size_t i = 0; i < n; i++)
		if (!used ||
		    memcmp(&stations[used - 1].key, &stations[i].key, sizeof(stations->key)) != 0)
			stations[used++] = stations[i];
	return used;
}

int datapath_set_stations(struct datapath *datapath, struct known_station *stations, size_t n)
{
	_cleanup_(cleanup_free) __u64 *words = calloc(STATION_WORDS, sizeof(*words));
	struct wanted wanted = {
		.map = &datapath->maps.map[MAP_STATIONS],
		.entries = stations,
		.entry_size = sizeof(*stations),
		.key_size = sizeof(stations->key),
	};
	int error;

	if (!words)
		return -ENOMEM;
	make_words(words, stations, n);
	wanted.n = unite_stations(stations, n);
	error = put_new(&wanted);
	store_words(datapath->maps.ours, words);
	__atomic_store_n(&datapath->maps.ours->told, 1, __ATOMIC_RELEASE);
	drop_old(&wanted);
	return error;
}

/* ---- addresses ----------------------------------------------------------------- */

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sl_address));
}

/* Makes one of those that have the same address; returns how many are left. */
static size_t unite_addresses(struct known_address *addresses, size_t n)
{
	size_t used = 0;

	qsort(addresses, n, sizeof(*addresses), compare_addresses);
	for (size_t i = 0; i < n; i++) {
		if (used && !compare_addresses(&addresses[used - 1], &addresses[i]))
			addresses[used - 1].kinds |= addresses[i].kinds;
		else
			addresses[used++] = addresses[i];
	}
	return used;
}

static void store_marks(struct sl_ours *ours, const struct known_address *addresses, size_t n)
{
	__u8 marks[SL_MARKS] = {};

	for (size_t i = 0; i < n; i++) {
		const __u64 *halves = addresses[i].key.addr.halves;
		__u64 bits = addresses[i].key.family == SL_FAMILY_IPV6 ? halves[0] ^ halves[1]
								       : halves[1];

		marks[sl_mark_place(bits)] |=
			SL_MARK_KNOWN |
			(addresses[i].kinds == SL_ADDRESS_SERVICE ? SL_MARK_UNSERVED : 0);
	}
	for (unsigned i = 0; i < SL_MARKS; i++)
		if (ours->marks[i] != marks[i])
			__atomic_store_n(&ours->marks[i], marks[i], __ATOMIC_RELEASE);
}

/* Of 16 384 services there are as many: the map is asked for each of them the first time alone. */
static bool are_known(const struct datapath *datapath, const struct known_address *addresses,
		      size_t n)
{
	return datapath->addresses && datapath->n_addresses == n &&
	       !memcmp(datapath->addresses, addresses, n * sizeof(*addresses));
}

/* Writes what the two sorted lists do not have in common: before the marks lead there those that
 * are new, and behind that the ones that have gone are taken out.
 */
static int write_difference(struct datapath *datapath, const struct known_address *addresses,
			    size_t n, bool gone)
{
	const struct map *map = &datapath->maps.map[MAP_ADDRESSES];
	size_t i = 0, j = 0;
	int error = 0, order;

	while (i < datapath->n_addresses || j < n) {
		const struct known_address *old = &datapath->addresses[i], *new = &addresses[j];

		order = i == datapath->n_addresses ? 1 : j == n ? -1 : compare_addresses(old, new);
		if (order < 0 && gone)
			(void)bpf_map_delete_elem(map->fd, &old->key);
		if (!gone && order >= 0 && (order > 0 || old->kinds != new->kinds) &&
		    bpf_map_update_elem(map->fd, &new->key, &new->kinds, BPF_ANY))
			error = -errno;
		i += order <= 0;
		j += order >= 0;
	}
	return error;
}

static int set_first_addresses(struct datapath *datapath, const struct known_address *addresses,
			       size_t n)
{
	const struct wanted wanted = {
		.map = &datapath->maps.map[MAP_ADDRESSES],
		.entries = addresses,
		.n = n,
		.entry_size = sizeof(*addresses),
		.key_size = sizeof(addresses->key),
	};
	int error = put_new(&wanted);

	store_marks(datapath->maps.ours, addresses, n);
	drop_old(&wanted);
	return error;
}

int datapath_set_addresses(struct datapath *datapath, struct known_address *addresses, size_t n)
{
	struct known_address *copy;
	int error;

	n = unite_addresses(addresses, n);
	if (are_known(datapath, addresses, n))
		return 0;
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, addresses, n * sizeof(*copy));
	if (datapath->addresses) {
		error = write_difference(datapath, addresses, n, false);
		store_marks(datapath->maps.ours, addresses, n);
		(void)write_difference(datapath, addresses, n, true);
	} else {
		error = set_first_addresses(datapath, addresses, n);
	}
	free(datapath->addresses);
	/* What was not written is written the next time. */
	datapath->addresses = error ? NULL : copy;
	datapath->n_addresses = error ? 0 : n;
	if (error)
		free(copy);
	return error;
}

void datapath_set_unserved(struct datapath *datapath, const struct config *config)
{
	__atomic_store_n(&datapath->maps.tuning->unserved, config->unserved, __ATOMIC_RELEASE);
}
