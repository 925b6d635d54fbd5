// SPDX-License-Identifier: BSD-2-Clause
/* A packet that comes between two of the stores has a source that is of neither prefix; the
 * packet in it is right.
 */
#include "daemon/datapath/ipip.h"

#include <arpa/inet.h>

#include "daemon/datapath/internal.h"
#include "lib/config/config.h"

#define WORD_BITS 32

/* Ones behind the prefix, in the last word of an address of this many bits. */
static __be32 varies(const struct prefix *prefix, unsigned address_bits)
{
	unsigned left = address_bits - prefix->bits;

	return htonl(left >= WORD_BITS ? ~0U : (1U << left) - 1);
}

void datapath_set_ipip(struct datapath *datapath, const struct ipip_config *ipip)
{
	struct sl_tuning *tuning = datapath->maps.tuning;

	tuning->outer_v4 = ipip->source_v4.ip.addr.words[3];
	tuning->outer_v4_varies = varies(&ipip->source_v4, 32);
	tuning->outer_v6 = ipip->source_v6.ip.addr;
	tuning->outer_v6_varies = varies(&ipip->source_v6, 128);
}
