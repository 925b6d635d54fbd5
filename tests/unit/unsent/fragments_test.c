// SPDX-License-Identifier: BSD-2-Clause
/* Fragments are put together again here by RFC 791 section 3.2, written apart from the cutting,
 * and make the packet that was cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/unsent/fragments.c"
#include "unit/base/random.h"

static unsigned char packet[FRAGMENT_MAX], joined[FRAGMENT_MAX], fragment[FRAGMENT_MAX];

static unsigned word(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static void make_packet(size_t header, size_t length)
{
	for (size_t i = 0; i < length; i++)
		packet[i] = (unsigned char)(i * 7 + i / 251);
	memset(packet + 20, IPOPT_NOP, header - 20);
	packet[0] = (unsigned char)(0x40 | header / 4);
	packet[2] = (unsigned char)(length >> 8);
	packet[3] = (unsigned char)length;
	packet[6] = packet[7] = 0;
}

/* Ones' complement: of a right header, the sum is all ones. */
static bool header_sums_up(const unsigned char *bytes, size_t header)
{
	unsigned sum = 0;

	for (size_t i = 0; i < header; i += 2)
		sum += word(bytes + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* Cuts the packet and joins it again. */
static void check_cut(size_t header, size_t length, size_t mtu)
{
	struct fragments fragments;
	size_t size, total = 0;
	bool more = true;

	make_packet(header, length);
	assert_true(fragments_begin(&fragments, packet, length, mtu));
	while ((size = fragments_next(&fragments, fragment))) {
		assert_true(more && size <= mtu && size > header);
		assert_true(word(fragment + 2) == size && header_sums_up(fragment, header));
		assert_memory_equal(fragment + 8, packet + 8, 2);   /* TTL, protocol */
		assert_memory_equal(fragment + 12, packet + 12, 8); /* addresses */
		assert_memory_equal(fragment + 4, packet + 4, 2);   /* identification */
		assert_int_equal((word(fragment + 6) & 0x1fff) * 8, total);
		more = word(fragment + 6) & 0x2000;
		assert_true(!more || (size - header) % 8 == 0);
		memcpy(joined + total, fragment + header, size - header);
		total += size - header;
	}
	assert_false(more);
	assert_int_equal(total, length - header);
	assert_memory_equal(joined, packet + header, total);
}

static void fragments_make_the_packet(void **state)
{
	(void)state;
	check_cut(20, 1501, 1500);
	check_cut(20, 3000, 1500);
	check_cut(20, 9000, 1280);
	check_cut(60, 9000, 68);
	check_cut(20, 65535, 576);
	for (size_t length = 21; length < 200; length++)
		check_cut(20, length, 68);
}

static void options_that_are_not_copied_stand_in_the_first_one(void **state)
{
	/* Record route is not copied, loose source route is. */
	static const unsigned char options[] = { IPOPT_RR, 7,         4,          0, 0, 0,
						 0,        IPOPT_NOP, IPOPT_LSRR, 3, 4, IPOPT_EOL };
	static const unsigned char later[] = { IPOPT_NOP,  IPOPT_NOP, IPOPT_NOP, IPOPT_NOP,
					       IPOPT_NOP,  IPOPT_NOP, IPOPT_NOP, IPOPT_NOP,
					       IPOPT_LSRR, 3,         4,         IPOPT_EOL };
	struct fragments fragments;

	(void)state;
	make_packet(32, 200);
	memcpy(packet + 20, options, sizeof(options));
	assert_true(fragments_begin(&fragments, packet, 200, 132));
	assert_true(fragments_next(&fragments, fragment));
	assert_memory_equal(fragment + 20, options, sizeof(options));
	assert_true(fragments_next(&fragments, fragment));
	assert_memory_equal(fragment + 20, later, sizeof(later));
}

static void some_packets_are_not_cut(void **state)
{
	struct fragments fragments;

	(void)state;
	make_packet(20, 2000);
	assert_false(fragments_begin(&fragments, packet, 1999, 1500)); /* cut short */
	assert_false(fragments_begin(&fragments, packet, 2000, 27));
	packet[6] = 0x40; /* don't fragment */
	assert_false(fragments_begin(&fragments, packet, 2000, 1500));
	packet[6] = 0x20; /* is a fragment */
	assert_false(fragments_begin(&fragments, packet, 2000, 1500));
	make_packet(20, 2000);
	packet[0] = 0x65;
	assert_false(fragments_begin(&fragments, packet, 2000, 1500));
	packet[0] = 0x44;
	assert_false(fragments_begin(&fragments, packet, 2000, 1500));
}

/* Headers of any content: nothing is read or written past its end (make debug). */
static void hostile_headers_are_survived(void **state)
{
	struct fragments fragments;
	uint64_t seed = 791;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t header = 20 + random_below(&seed, 11) * 4;

		make_packet(header, 300);
		for (size_t at = 20; at < header; at++)
			packet[at] = (unsigned char)random_below(&seed, 256);
		assert_true(fragments_begin(&fragments, packet, 300, 100));
		while (fragments_next(&fragments, fragment))
			assert_true(header_sums_up(fragment, header));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_make_the_packet),
		cmocka_unit_test(options_that_are_not_copied_stand_in_the_first_one),
		cmocka_unit_test(some_packets_are_not_cut),
		cmocka_unit_test(hostile_headers_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
