// SPDX-License-Identifier: BSD-2-Clause
/* Incremental checksums against summing up all words anew. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sluice/csum.h"

#define WORDS 32

static uint16_t sum_up(const uint16_t *words, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* 0 and 0xffff are the same number; a sum over anything but zeros is never
 * "all zeros", so the check is for equality of the sums they stand for.
 */
static void assert_same(uint16_t a, uint16_t b)
{
	assert_true(a == b || (a == 0 && b == 0xffff) || (a == 0xffff && b == 0));
}

static void test_changing_words(void **state)
{
	uint16_t words[WORDS];

	(void)state;
	srand(3);
	for (unsigned round = 0; round < 100000; round++) {
		uint16_t before, changed = (uint16_t)rand();
		size_t at = (size_t)rand() % WORDS;
		uint64_t delta;

		for (size_t i = 0; i < WORDS; i++)
			words[i] = (uint16_t)(rand() % 8 ? rand() : (rand() % 2 ? 0xffff : 0));
		words[0] |= 1;
		before = sum_up(words, WORDS);
		delta = sl_csum_delta16(words[at], changed);
		words[at] = changed;
		words[0] |= 1;
		if (at == 0)
			continue;
		assert_same(sl_csum_apply(before, delta), sum_up(words, WORDS));
	}
}

static void test_changing_an_address_and_a_port(void **state)
{
	struct {
		struct sl_addr addr;
		uint16_t port;
		uint16_t rest[7];
	} packet;
	uint16_t words[sizeof(packet) / 2];

	(void)state;
	srand(4);
	for (unsigned round = 0; round < 100000; round++) {
		struct sl_addr addr;
		uint16_t before, port = (uint16_t)rand();
		uint64_t delta;

		for (size_t i = 0; i < sizeof(packet) / 2; i++)
			words[i] = (uint16_t)rand();
		memcpy(&packet, words, sizeof(packet));
		for (size_t i = 0; i < 4; i++)
			addr.words[i] = (uint32_t)rand() ^ (uint32_t)rand() << 16;
		before = sum_up(words, sizeof(packet) / 2);
		delta = sl_csum_delta_addr(&packet.addr, &addr) +
			sl_csum_delta16(packet.port, port);
		packet.addr = addr;
		packet.port = port;
		memcpy(words, &packet, sizeof(packet));
		assert_same(sl_csum_apply(before, delta), sum_up(words, sizeof(packet) / 2));
	}
}

/* The example of RFC 1624 section 4: 0xDD2F, 0x5555 becomes 0x3285, 0x0000. */
static void test_rfc1624_example(void **state)
{
	(void)state;
	assert_int_equal(sl_csum_apply(0xdd2f, sl_csum_delta16(0x5555, 0x3285)), 0x0000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changing_words),
		cmocka_unit_test(test_changing_an_address_and_a_port),
		cmocka_unit_test(test_rfc1624_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
