// SPDX-License-Identifier: BSD-2-Clause
#include "lib/alloc/directory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sluice/hash.h"

#define NOT_FOUND (~0U)

static __u64 *word_at(const struct directory *directory, unsigned position)
{
	return &directory->words[position & (directory->size - 1)];
}

/* Release: what the word leads to is seen no later than the word. */
static void store(__u64 *word, __u64 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static bool leads_to(const struct directory *directory, __u64 word, const struct sl_key *key)
{
	return word != SL_DIRECTORY_EMPTY && word != SL_DIRECTORY_REMOVED &&
	       !memcmp(directory->key_of(directory->entries, (unsigned)word), key, sizeof(*key));
}

/* Position of the key's word, and of the first one that could take it. */
static unsigned search(const struct directory *directory, const struct sl_key *key,
		       unsigned *ret_free)
{
	unsigned start = sl_hash_key(key);

	*ret_free = NOT_FOUND;
	for (unsigned i = 0; i < SL_DIRECTORY_PROBES; i++) {
		unsigned position = (start + i) & (directory->size - 1);
		__u64 word = *word_at(directory, position);

		if (leads_to(directory, word, key))
			return position;
		if (*ret_free == NOT_FOUND &&
		    (word == SL_DIRECTORY_EMPTY || word == SL_DIRECTORY_REMOVED))
			*ret_free = position;
		if (word == SL_DIRECTORY_EMPTY)
			break;
	}
	return NOT_FOUND;
}

unsigned directory_find(const struct directory *directory, const struct sl_key *key)
{
	unsigned unused, position = search(directory, key, &unused);

	return position == NOT_FOUND ? SL_DIRECTORY_EMPTY : (unsigned)*word_at(directory, position);
}

int directory_put(struct directory *directory, const struct sl_key *key, unsigned index)
{
	unsigned free, position = search(directory, key, &free);

	if (position == NOT_FOUND)
		position = free;
	if (position == NOT_FOUND)
		return -ENOSPC;
	store(word_at(directory, position), index);
	return 0;
}

void directory_remove(struct directory *directory, const struct sl_key *key)
{
	unsigned unused, position = search(directory, key, &unused);

	if (position != NOT_FOUND)
		directory_remove_at(directory, position);
}

void directory_remove_at(struct directory *directory, unsigned position)
{
	store(word_at(directory, position), SL_DIRECTORY_REMOVED);
	/* In front of an empty word, removed ones hold up nobody: probing ends
	 * there anyway.
	 */
	while (*word_at(directory, position) == SL_DIRECTORY_REMOVED &&
	       *word_at(directory, position + 1) == SL_DIRECTORY_EMPTY)
		store(word_at(directory, position--), SL_DIRECTORY_EMPTY);
}
