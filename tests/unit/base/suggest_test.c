// SPDX-License-Identifier: BSD-2-Clause
/* How far apart two words are, against a definition that is slow and plain. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/base/suggest.h"
#include "unit/base/random.h"

static void known_distances(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} rows
		[] = {
			{ "", "", 0 },
			{ "port", "port", 0 },
			{ "", "port", 4 },
			{ "port", "", 4 },
			{ "por", "port", 1 },
			{ "ports", "port", 1 },
			{ "pord", "port", 1 },
			{ "prot", "port", 1 },
			{ "oprt", "port", 1 },
			{ "opr", "port", 2 },
			{ "ca", "abc", 3 }, /* what was swapped is not touched again */
			{ "rate", "burst", 4 },
			{ "attach", "detach", 2 },
			{ "kitten", "sitting", 3 },
		};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(suggest_distance(rows[i].a, rows[i].b), rows[i].distance);
		assert_int_equal(suggest_distance(rows[i].b, rows[i].a), rows[i].distance);
	}
}

static void a_long_word_is_far(void **state)
{
	char longest[65];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[63] = '\0';
	assert_int_equal(suggest_distance(longest, ""), 63);
	assert_int_equal(suggest_distance(longest, longest), 0);
	longest[63] = 'x';
	longest[64] = '\0';
	assert_int_equal(suggest_distance(longest, ""), UINT_MAX);
	assert_int_equal(suggest_distance("", longest), UINT_MAX);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Straight from the definition, from the end. */
static unsigned plain(const char *a, size_t m, const char *b, size_t n)
{
	unsigned best;

	if (!m || !n)
		return (unsigned)(m + n);
	best = least(plain(a, m - 1, b, n), plain(a, m, b, n - 1)) + 1;
	best = least(best, plain(a, m - 1, b, n - 1) + (a[m - 1] != b[n - 1]));
	if (m > 1 && n > 1 && a[m - 1] == b[n - 2] && a[m - 2] == b[n - 1])
		best = least(best, plain(a, m - 2, b, n - 2) + 1);
	return best;
}

static void random_words(void **state)
{
	uint64_t random = 0x5066;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		char words[2][7] = {};

		for (unsigned w = 0; w < 2; w++)
			for (unsigned i = random_below(&random, sizeof(words[w])); i; i--)
				words[w][i - 1] = (char)('a' + random_below(&random, 3));
		assert_int_equal(suggest_distance(words[0], words[1]),
				 plain(words[0], strlen(words[0]), words[1], strlen(words[1])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_distances),
		cmocka_unit_test(a_long_word_is_far),
		cmocka_unit_test(random_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
