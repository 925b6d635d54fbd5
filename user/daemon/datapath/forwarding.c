// SPDX-License-Identifier: BSD-2-Clause
/* The values in sl_tuning that modes of forwarding read. */
#include "daemon/datapath/forwarding.h"

#include <arpa/inet.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "lib/base/array.h"
#include "lib/config/config.h"

#define WORD_BITS 32

/* Ones behind the prefix, in the last word of an address of address_bits bits. */
static __be32 varies(const struct prefix *prefix, unsigned address_bits)
{
	unsigned left = address_bits - prefix->bits;

	return htonl(left >= WORD_BITS ? ~0U : (1U << left) - 1);
}

/* A packet that comes between two of the stores has an outer source that is of neither
 * prefix; the packet in it is right.
 */
static void set_outer_source(struct sl_tuning *tuning, const struct ipip_config *ipip)
{
	tuning->outer_v4 = ipip->source_v4.ip.addr.words[3];
	tuning->outer_v4_varies = varies(&ipip->source_v4, 32);
	tuning->outer_v6 = ipip->source_v6.ip.addr;
	tuning->outer_v6_varies = varies(&ipip->source_v6, 128);
}

/* Connections with a backend itself are remembered as long as others are. */
static void set_direct(struct sl_tuning *tuning, const struct flows_config *flows)
{
	tuning->direct_tcp = clock_timeout(flows->tcp_idle_ms);
	tuning->direct_udp = clock_timeout(flows->udp_idle_ms);
}

static void set_forward(struct sl_tuning *tuning, const struct config *config,
			enum sl_forward forward)
{
	switch (forward) {
	case SL_FORWARD_DSR:
		break;
	case SL_FORWARD_NAT:
		set_direct(tuning, &config->flows);
		break;
	case SL_FORWARD_IPIP:
		set_outer_source(tuning, &config->ipip);
		break;
	}
}

void datapath_set_forwarding(struct datapath *datapath, const struct config *config)
{
#define FORWARD(name, ...) SL_FORWARD_##name,
	static const enum sl_forward forwards[] = { SL_FORWARDS(FORWARD) };
#undef FORWARD

	for (size_t i = 0; i < ARRAY_SIZE(forwards); i++)
		set_forward(datapath->maps.tuning, config, forwards[i]);
}
