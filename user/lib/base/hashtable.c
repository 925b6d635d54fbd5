// SPDX-License-Identifier: BSD-2-Clause
/* Chained buckets; a node keeps its hash, so growing touches no key. Invariant:
 * a node is in the bucket that the low bits of its hash say, and there is at
 * most one node per bucket on average, unless memory was short.
 */
#include "lib/base/hashtable.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BUCKETS 16

/* FNV-1a, then the finalizer of MurmurHash3: the low bits, which pick
 * the bucket, come to depend on every bit.
 */
uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
	const unsigned char *byte = bytes;
	uint64_t hash = 0xcbf29ce484222325ULL ^ seed;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	return hash ^ (hash >> 33);
}

static struct hash_node **bucket_of(const struct hashtable *table, uint64_t hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

static void put(struct hashtable *table, struct hash_node *node)
{
	struct hash_node **bucket = bucket_of(table, node->hash);

	node->next = *bucket;
	*bucket = node;
}

static int grow(struct hashtable *table)
{
	struct hashtable bigger = {
		.n_buckets = table->n_buckets ? table->n_buckets * 2 : FIRST_BUCKETS,
		.count = table->count,
	};
	struct hash_node *node, *next;

	bigger.buckets = calloc(bigger.n_buckets, sizeof(*bigger.buckets));
	if (!bigger.buckets)
		return -ENOMEM;
	for (node = hashtable_next(table, NULL); node; node = next) {
		next = hashtable_next(table, node);
		put(&bigger, node);
	}
	free(table->buckets);
	*table = bigger;
	return 0;
}

struct hash_node *hashtable_find(const struct hashtable *table, uint64_t hash, const void *key,
				 hash_equal_fn *equal)
{
	struct hash_node *node;

	if (!table->n_buckets)
		return NULL;
	for (node = *bucket_of(table, hash); node; node = node->next)
		if (node->hash == hash && equal(node, key))
			return node;
	return NULL;
}

int hashtable_insert(struct hashtable *table, struct hash_node *node, uint64_t hash)
{
	/* Only the first buckets are a must: later ones just shorten the chains. */
	if (table->count >= table->n_buckets && grow(table) < 0 && !table->n_buckets)
		return -ENOMEM;
	node->hash = hash;
	put(table, node);
	table->count++;
	return 0;
}

void hashtable_remove(struct hashtable *table, struct hash_node *node)
{
	struct hash_node **place = bucket_of(table, node->hash);

	while (*place != node)
		place = &(*place)->next;
	*place = node->next;
	node->next = NULL;
	table->count--;
}

struct hash_node *hashtable_next(const struct hashtable *table, const struct hash_node *node)
{
	size_t i = 0;

	if (node && node->next)
		return node->next;
	if (node)
		i = (node->hash & (table->n_buckets - 1)) + 1;
	for (; i < table->n_buckets; i++)
		if (table->buckets[i])
			return table->buckets[i];
	return NULL;
}

void hashtable_done(struct hashtable *table)
{
	free(table->buckets);
	*table = (struct hashtable){};
}
