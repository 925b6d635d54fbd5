/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Packets to a service's address that are for no service, where this machine does not hold the
 * address. Were they passed, the kernel would route them on, most often back to the router that
 * sent them, until their TTL ends. They are dropped, refused or passed, as the configuration's
 * `unserved` says. Passed are, whatever it says, neighbour discovery, and ICMP's errors and
 * echo.
 */
#ifndef SLUICE_BPF_UNSERVED_H
#define SLUICE_BPF_UNSERVED_H

#include <linux/in.h>

#include "bpf/maps.h"
#include "bpf/ours.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/reject.h"

/* Types of ICMP (RFC 792) and ICMPv6 (RFC 4443 section 2.1, RFC 4861 section 4). */
#define ICMP_ECHO_REPLY      0
#define ICMP_UNREACHABLE     3
#define ICMP_SOURCE_QUENCH   4
#define ICMP_REDIRECT        5
#define ICMP_ECHO            8
#define ICMP_TIME_EXCEEDED   11
#define ICMP_BAD_PARAMETER   12
#define ICMPV6_ERROR_LAST    127
#define ICMPV6_ECHO          128
#define ICMPV6_ECHO_REPLY    129
#define ICMPV6_NEIGHBOUR     133 /* the first of neighbour discovery */
#define ICMPV6_NEIGHBOUR_END 137

#define ICMP_BIT(type)       (1U << (type))

/* Whether ICMP of a type is passed to the kernel. */
static __always_inline bool unserved_passes_icmp(__u32 type)
{
	const __u32 passed = ICMP_BIT(ICMP_ECHO_REPLY) | ICMP_BIT(ICMP_UNREACHABLE) |
			     ICMP_BIT(ICMP_SOURCE_QUENCH) | ICMP_BIT(ICMP_REDIRECT) |
			     ICMP_BIT(ICMP_ECHO) | ICMP_BIT(ICMP_TIME_EXCEEDED) |
			     ICMP_BIT(ICMP_BAD_PARAMETER);

	return type <= ICMP_BAD_PARAMETER && passed & ICMP_BIT(type);
}

static __always_inline bool unserved_passes_icmpv6(__u32 type)
{
	return type <= ICMPV6_ECHO_REPLY ||
	       (type >= ICMPV6_NEIGHBOUR && type <= ICMPV6_NEIGHBOUR_END);
}

static __always_inline bool unserved_is_icmp(const struct sl_packet *packet)
{
	return packet->destination.proto ==
	       (packet_is_ipv6(packet) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* Whether the packet is ICMP that is passed. A later fragment has no type: it goes the way of
 * the echo that is so long. A packet that ends before its type has none, whatever the frame has
 * behind it. verdict: of the stages before.
 */
static __always_inline bool unserved_passes(struct xdp_md *xdp, const struct sl_packet *packet,
					    enum sl_verdict verdict)
{
	const __u8 *type;

	if (!unserved_is_icmp(packet))
		return false;
	if (verdict == SL_PASS_FRAGMENT)
		return true;
	type = packet_bytes(xdp, packet->l4, 1);
	if (!type || packet->l4 >= packet->end)
		return false;
	return packet_is_ipv6(packet) ? unserved_passes_icmpv6(*type) : unserved_passes_icmp(*type);
}

/* Whether parsing has not come to the transport header. */
static __always_inline bool unserved_is_opaque(const struct sl_packet *packet)
{
	return packet_is_ipv6(packet) && packet->destination.proto == PARSE_OPAQUE;
}

/* Refuses the packet, if it can be. Of ICMP, of a fragment, of a broken packet, the sender hears
 * nothing (RFC 1122 section 3.2.2).
 */
static __always_inline bool unserved_refuses(struct xdp_md *xdp, struct sl_packet *packet,
					     enum sl_verdict verdict)
{
	bool served = verdict == SL_PASS_NO_SERVICE; /* TCP or UDP, and its ports are known */

	if (served ? packet->broken
		   : verdict != SL_PASS_PROTOCOL || unserved_is_icmp(packet) ||
			     unserved_is_opaque(packet) || parse_is_fragment(packet) ||
			     packet->end < packet->l4 + REJECT_QUOTED)
		return false;
	return pace_refusals() && reject_packet(xdp, packet, REJECT_UNREACHABLE);
}

/* The end of a packet that the stages before have passed, with a verdict of their own. */
static __always_inline enum sl_verdict end_unserved(struct xdp_md *xdp, struct sl_packet *packet,
						    enum sl_verdict verdict)
{
	const struct sl_addr *addr = &packet->destination.addr;

	if (likely(!(ours_marks(addr->halves[0] ^ addr->halves[1]) & SL_MARK_UNSERVED)))
		return verdict;
	if (ours_address(addr->halves[0], addr->halves[1], packet->destination.family) !=
		    SL_ADDRESS_SERVICE ||
	    sl_tuning.unserved == SL_UNSERVED_PASS || check_frame(xdp, packet) ||
	    unserved_passes(xdp, packet, verdict))
		return verdict;
	if (sl_tuning.unserved == SL_UNSERVED_REJECT && unserved_refuses(xdp, packet, verdict))
		return SL_REJECTED_UNSERVED;
	return SL_DROP_UNSERVED;
}

#endif
