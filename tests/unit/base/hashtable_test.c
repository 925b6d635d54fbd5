// SPDX-License-Identifier: BSD-2-Clause
/* lib/hashtable against an array that says which keys are in. */
#include "lib/base/hashtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KEYS   3000
#define ROUNDS 60000
#define SEED   0x5eed1234ULL

struct entry {
	int before; /* so that the node is not at offset 0 */
	struct hash_node node;
	unsigned key;
	bool in;
	unsigned visits;
};

static bool entry_equal(const struct hash_node *node, const void *key)
{
	return HASH_ENTRY(node, struct entry, node)->key == *(const unsigned *)key;
}

/* Few hashes for many keys, so that chains are long and keys must decide. */
static uint64_t poor_hash(unsigned key)
{
	return key % 7;
}

static uint64_t good_hash(unsigned key)
{
	return hash_bytes(&key, sizeof(key), 0);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static void check_walk(const struct hashtable *table, struct entry *entries)
{
	struct hash_node *node;
	size_t seen = 0;

	for (unsigned i = 0; i < KEYS; i++)
		entries[i].visits = 0;
	for (node = hashtable_next(table, NULL); node; node = hashtable_next(table, node)) {
		HASH_ENTRY(node, struct entry, node)->visits++;
		seen++;
	}
	assert_int_equal(seen, table->count);
	for (unsigned i = 0; i < KEYS; i++)
		assert_int_equal(entries[i].visits, entries[i].in);
}

static void run_rounds(uint64_t (*hash)(unsigned key))
{
	static struct entry entries[KEYS];
	struct hashtable table = {};
	uint64_t random = SEED;
	struct hash_node *found;
	unsigned round, key, count = 0;

	memset(entries, 0, sizeof(entries));
	for (round = 0; round < ROUNDS; round++) {
		key = next_random(&random) % KEYS;
		entries[key].key = key;
		found = hashtable_find(&table, hash(key), &key, entry_equal);
		assert_ptr_equal(found, entries[key].in ? &entries[key].node : NULL);
		if (entries[key].in)
			hashtable_remove(&table, found);
		else
			assert_int_equal(hashtable_insert(&table, &entries[key].node, hash(key)),
					 0);
		entries[key].in = !entries[key].in;
		count += entries[key].in ? 1 : -1;
		assert_int_equal(table.count, count);
		if (round % 10000 == 0)
			check_walk(&table, entries);
	}
	check_walk(&table, entries);
	hashtable_done(&table);
	assert_null(table.buckets);
}

static void agrees_with_an_array(void **state)
{
	(void)state;
	run_rounds(good_hash);
}

static void agrees_when_hashes_collide(void **state)
{
	(void)state;
	run_rounds(poor_hash);
}

static void an_empty_table_has_nothing(void **state)
{
	struct hashtable table = {};
	unsigned key = 1;

	(void)state;
	assert_null(hashtable_find(&table, good_hash(key), &key, entry_equal));
	assert_null(hashtable_next(&table, NULL));
	hashtable_done(&table);
}

static void every_node_can_be_removed_in_a_walk(void **state)
{
	static struct entry entries[KEYS];
	struct hashtable table = {};
	struct hash_node *node, *next;
	unsigned i, removed = 0;

	(void)state;
	for (i = 0; i < KEYS; i++) {
		entries[i].key = i;
		assert_int_equal(hashtable_insert(&table, &entries[i].node, good_hash(i)), 0);
	}
	for (node = hashtable_next(&table, NULL); node; node = next) {
		next = hashtable_next(&table, node);
		hashtable_remove(&table, node);
		removed++;
	}
	assert_int_equal(removed, KEYS);
	assert_int_equal(table.count, 0);
	assert_null(hashtable_next(&table, NULL));
	hashtable_done(&table);
}

/* The low bits pick the bucket: keys that differ in their last byte, first byte
 * or seed alone must not all meet in one.
 */
static void hash_spreads(void **state)
{
	unsigned last[256] = {}, first[256] = {}, seeds[256] = {};
	unsigned char bytes[24] = {};

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		memset(bytes, 0, sizeof(bytes));
		seeds[hash_bytes(bytes, sizeof(bytes), i) & 255]++;
		bytes[0] = i;
		first[hash_bytes(bytes, sizeof(bytes), 0) & 255]++;
		bytes[0] = 0;
		bytes[23] = i;
		last[hash_bytes(bytes, sizeof(bytes), 0) & 255]++;
	}
	for (unsigned i = 0; i < 256; i++) {
		assert_true(first[i] < 10);
		assert_true(last[i] < 10);
		assert_true(seeds[i] < 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(agrees_when_hashes_collide),
		cmocka_unit_test(every_node_can_be_removed_in_a_walk),
		cmocka_unit_test(hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
