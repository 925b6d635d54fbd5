/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of modes of forwarding: how a packet reaches its backend. A row holds the name, the
 * number in sl_backend.forward, which running programs know, the configuration's word, and the
 * properties of struct sl_forward_properties that are not 0. The enum, the words and all rules
 * that depend on a property expand from this list; a case in bpf/forward.h is what a mode does
 * to a packet, and one in datapath/forwarding.c writes the values of sl_tuning that it reads.
 */
#ifndef SLUICE_SHARED_FORWARDING_H
#define SLUICE_SHARED_FORWARDING_H

#include <linux/types.h>

#include "sluice/inline.h"

struct sl_forward_properties {
	__u32 returns;    /* replies come back through the balancer, which rewrites them */
	__u32 keeps_port; /* the backend listens on the service's port */
	__u32 outer_v4;   /* bytes in front of an IPv4 packet on its way to the backend */
	__u32 outer_v6;   /* bytes in front of an IPv6 packet */
};

#define SL_FORWARDS(X)                    \
	X(NAT, 2, "nat", .returns = 1)    \
	X(DSR, 1, "dsr", .keeps_port = 1) \
	X(IPIP, 3, "ipip", .keeps_port = 1, .outer_v4 = 20, .outer_v6 = 40)

/* Words that the configuration knows, of modes that this version does not have. */
#define SL_FORWARDS_LATER(X)                     X("full-nat") X("gue")

#define SL_FORWARD_ENUM(name, number, word, ...) SL_FORWARD_##name = number,
enum sl_forward { SL_FORWARDS(SL_FORWARD_ENUM) };
#undef SL_FORWARD_ENUM

/* A value that is no mode's has no properties. */
static SL_ALWAYS_INLINE struct sl_forward_properties sl_forward_properties(enum sl_forward forward)
{
#define SL_FORWARD_CASE(name, number, word, ...) \
	case SL_FORWARD_##name:                  \
		return (struct sl_forward_properties){ __VA_ARGS__ };
	switch (forward) {
		SL_FORWARDS(SL_FORWARD_CASE)
	}
#undef SL_FORWARD_CASE
	return (struct sl_forward_properties){};
}

static inline int sl_forward_returns(enum sl_forward forward)
{
	return sl_forward_properties(forward).returns;
}

static inline int sl_forward_keeps_port(enum sl_forward forward)
{
	return sl_forward_properties(forward).keeps_port;
}

#endif
