/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The writing side of the directories in sluice/abi.h: words in memory that
 * packets read at any moment. Every change is one store of one word, and a key
 * that stays is found at every moment. One writer.
 */
#ifndef SLUICE_LIB_ALLOC_DIRECTORY_H
#define SLUICE_LIB_ALLOC_DIRECTORY_H

#include "sluice/abi.h"

struct directory {
	__u64 *words;  /* size of them; the owner's memory */
	unsigned size; /* a power of two */
	/* The key of the entry that a word leads to; valid until the next change. */
	const struct sl_key *(*key_of)(const void *entries, unsigned index);
	const void *entries;
};

/* The index that key leads to, or SL_DIRECTORY_EMPTY. */
unsigned directory_find(const struct directory *directory, const struct sl_key *key);

/* Makes key lead to index, whose entry is already written; a key that is there
 * is led elsewhere. 0, or -ENOSPC: no word is free near enough.
 */
int directory_put(struct directory *directory, const struct sl_key *key, unsigned index);

/* It is no error that the key is not there. */
void directory_remove(struct directory *directory, const struct sl_key *key);

/* Removes the word at this position, wherever it leads. */
void directory_remove_at(struct directory *directory, unsigned position);

#endif
