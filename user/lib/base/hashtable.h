/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table of nodes that are embedded in the caller's structs. It owns
 * its array of buckets and nothing else: nodes are borrowed, must not move while
 * they are in a table, and are the caller's to free after hashtable_remove() or
 * hashtable_done(). Keys are compared by the caller, so they can be any part of
 * the struct. A zeroed table is an empty one.
 *
 * The hash is fast and not secret: for keys that an operator writes, or of which
 * something else bounds the number.
 */
#ifndef SLUICE_LIB_BASE_HASHTABLE_H
#define SLUICE_LIB_BASE_HASHTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next; /* in the bucket; the table's business */
	uint64_t hash;
};

struct hashtable {
	struct hash_node **buckets;
	size_t n_buckets; /* a power of two, or 0 */
	size_t count;     /* nodes in the table */
};

/* Whether the struct around node has this key; asked only if the hashes agree. */
typedef bool hash_equal_fn(const struct hash_node *node, const void *key);

/* The struct that a node is embedded in; node must not be NULL. */
#define HASH_ENTRY(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

/* seed: another part of the key, or 0. */
uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);

/* NULL where there is none. */
struct hash_node *hashtable_find(const struct hashtable *table, uint64_t hash, const void *key,
				 hash_equal_fn *equal);

/* Does not look for an equal key: find first. 0; -ENOMEM leaves all as it was. */
int hashtable_insert(struct hashtable *table, struct hash_node *node, uint64_t hash);

/* The node must be in the table. */
void hashtable_remove(struct hashtable *table, struct hash_node *node);

/* Walks all nodes in no order: NULL starts, NULL is the end. Nothing may be
 * inserted meanwhile; a node may be removed once the next one has been asked for.
 */
struct hash_node *hashtable_next(const struct hashtable *table, const struct hash_node *node);

/* Forgets all nodes without looking at them, and is an empty table again. */
void hashtable_done(struct hashtable *table);

#endif
