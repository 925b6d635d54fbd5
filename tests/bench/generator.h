/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the generator program is told before it is loaded. Its constants: the
 * verifier sees their values, so the offsets cost nothing to check.
 */
#ifndef SLUICE_TESTS_BENCH_GENERATOR_H
#define SLUICE_TESTS_BENCH_GENERATOR_H

#include <linux/types.h>

/* What is restored of a frame: its Ethernet header, and this number of words of 8 bytes. */
#define GENERATOR_SHORT_WORDS 6 /* IPv4 */
#define GENERATOR_LONG_WORDS  8 /* IPv6 */
#define GENERATOR_ETH_SIZE    14
#define GENERATOR_FRAME_MAX   (GENERATOR_ETH_SIZE + 8 * GENERATOR_LONG_WORDS)

/* The client's address holds zeros in the bits that the flow's number is put
 * into, its port is 0, and the checksums are right for that.
 */
struct generator_config {
	__u8 align[2]; /* so that the IP header is aligned */
	__u8 frame[GENERATOR_FRAME_MAX];
	__u32 words;          /* GENERATOR_SHORT_WORDS or GENERATOR_LONG_WORDS */
	__u32 flow_mask;      /* how many flows - 1, a power of two less one */
	__u32 address_at;     /* offset of the 32 bits that get the flow's number */
	__u32 port_at;        /* of the client's port */
	__u32 ports_at;       /* of both */
	__u32 checksum_at;    /* of TCP's or UDP's */
	__u32 ip_checksum_at; /* 0: IPv6 has none */
	__u32 udp;            /* a checksum of 0 is written as 0xffff (RFC 768) */
	__u32 spread;         /* addresses at the fixed end, in turn; 1: always the same one */
	__u32 spread_at;      /* offset of that address's last 32 bits */
	__u32 ifindex;        /* where `send` sends */
	__u32 pad;
};
_Static_assert(sizeof(struct generator_config) == 80 + 48, "generator_config has no holes");

#endif
