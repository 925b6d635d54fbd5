/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frames that the bench sends, as templates for the generator.
 */
#ifndef SLUICE_TESTS_BENCH_FRAME_H
#define SLUICE_TESTS_BENCH_FRAME_H

#include <stdbool.h>

#include "lib/base/addr.h"
#include "tests/bench/generator.h"

/* One end is fixed (a service, or a backend that answers), the other one is
 * the client: 10.0.0.0/8 or 2001:db8::/32, a /64 for each flow.
 */
struct frame {
	struct ip ip; /* of the fixed end */
	__be16 port;
	unsigned spread;  /* the number of addresses, from ip on, that it goes to in turn */
	__u8 proto;       /* IPPROTO_TCP or IPPROTO_UDP */
	bool from_client; /* else to it */
	bool syn;         /* TCP: a SYN without data, else data of a connection */
};

#define FRAME_FLOWS_IPV4 (1U << 24) /* how many flows have sources of their own */

/* Fills everything but flow_mask. Where spread is above 1, the low bits of ip that a
 * number below it takes must be 0.
 */
void frame_make(const struct frame *frame, struct generator_config *ret_config);

/* Where the Ethernet header of every template leads; a forwarded frame leads
 * elsewhere.
 */
extern const __u8 frame_dst_mac[6];

#endif
