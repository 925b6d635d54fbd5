// SPDX-License-Identifier: BSD-2-Clause
/* Directories against a plain list, and the promise to readers: a key that
 * stays is found at every moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/alloc/directory.h"
#include "sluice/hash.h"

#define WORDS 512
#define KEYS  64 /* as sparse as the daemon makes it */

static __u64 words[WORDS];
static struct sl_service entries[2 * KEYS + 1];

static const struct sl_key *key_of(const void *all, unsigned index)
{
	return &((const struct sl_service *)all)[index].key;
}

static struct directory directory = {
	.words = words, .size = WORDS, .key_of = key_of, .entries = entries
};

static struct sl_key make_key(unsigned n)
{
	struct sl_key key = { .port = (uint16_t)(n * 31), .proto = 6, .family = SL_FAMILY_IPV4 };

	key.addr.words[2] = 0xffff0000;
	key.addr.words[3] = n * 2654435761u;
	return key;
}

/* As the program searches; 0: not found. */
static unsigned reader_find(const struct sl_key *key)
{
	uint32_t at = sl_hash_key(key);

	for (unsigned i = 0; i < SL_DIRECTORY_PROBES; i++) {
		uint64_t word = words[(at + i) % WORDS];

		if (word == SL_DIRECTORY_EMPTY)
			return 0;
		if (word != SL_DIRECTORY_REMOVED && !memcmp(&entries[word].key, key, sizeof(*key)))
			return (unsigned)word;
	}
	return 0;
}

static void test_random_changes(void **state)
{
	unsigned held[KEYS] = {};

	(void)state;
	srand(11);
	memset(words, 0, sizeof(words));
	for (unsigned n = 0; n < KEYS; n++)
		entries[1 + n].key = entries[1 + KEYS + n].key = make_key(n);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned n = (unsigned)rand() % KEYS;
		struct sl_key key = make_key(n);

		if (rand() % 2) {
			/* Now this copy of the entry, now the other. */
			held[n] = held[n] == 1 + n ? 1 + KEYS + n : 1 + n;
			assert_int_equal(directory_put(&directory, &key, held[n]), 0);
		} else {
			held[n] = 0;
			directory_remove(&directory, &key);
		}
		for (unsigned i = 0; round % 64 == 0 && i < KEYS; i++) {
			struct sl_key any = make_key(i);

			assert_int_equal(reader_find(&any), held[i]);
			assert_int_equal(directory_find(&directory, &any), held[i]);
		}
	}
	for (unsigned n = 0; n < KEYS; n++) {
		struct sl_key key = make_key(n);

		directory_remove(&directory, &key);
	}
	for (unsigned i = 0; i < WORDS; i++)
		assert_true(words[i] == SL_DIRECTORY_EMPTY || words[i] == SL_DIRECTORY_REMOVED);
}

static void test_full(void **state)
{
	(void)state;
	memset(words, 0, sizeof(words));
	for (unsigned i = 0; i < WORDS; i++)
		words[i] = 1;
	entries[1].key = make_key(1000);
	for (unsigned n = 0; n < 10; n++) {
		struct sl_key key = make_key(n);

		assert_true(directory_put(&directory, &key, 2) < 0);
		assert_int_equal(directory_find(&directory, &key), SL_DIRECTORY_EMPTY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
