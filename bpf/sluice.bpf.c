// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packet's way: parse -> service -> access -> limit -> select -> forward ->
 * count -> verdict (docs/architecture.md, The packet's way). Each stage is a header of its own and
 * returns SL_NEXT to go on, or the verdict it has come to. Above find_service()
 * nothing may drop: until there, the packet is not known to be a service's. A packet that is
 * passed, though it is for a service's address, ends in end_unserved().
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/access.h"
#include "bpf/count.h"
#include "bpf/direct.h"
#include "bpf/forward.h"
#include "bpf/limit.h"
#include "bpf/maps.h"
#include "bpf/ours.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/reply.h"
#include "bpf/select.h"
#include "bpf/service.h"
#include "bpf/unserved.h"

/* Ends the packets that parsing has found to be broken. */
static __always_inline enum sl_verdict check_whole(struct xdp_md *xdp, struct sl_packet *packet)
{
	if (likely(!packet->broken))
		return SL_NEXT;
	parse_left(xdp, packet);
	return packet->broken;
}

/* A packet of a service. From here on, doubt means drop. */
static __always_inline enum sl_verdict serve(struct xdp_md *xdp, struct sl_packet *packet)
{
	return check_frame(xdp, packet)
	    ?: check_whole(xdp, packet)
	    ?: check_source(packet)
	    ?: check_access(packet)
	    ?: read_slot(packet)
	    ?: limit_source(xdp, packet)
	    ?: select_backend(xdp, packet)
	    ?: forward_to_backend(xdp, packet);
}

/* A packet of no service: the reply of a nat backend, a packet for the backend itself, or the
 * kernel's.
 */
static __always_inline enum sl_verdict pass_by(struct xdp_md *xdp, struct sl_packet *packet)
{
	if (!find_return(packet))
		return direct_pass(xdp, packet);
	parse_left(xdp, packet);
	return check_frame(xdp, packet) ?: return_to_client(xdp, packet);
}

static __always_inline enum sl_verdict run_pipeline(struct xdp_md *xdp, struct sl_packet *packet)
{
	enum sl_verdict verdict = parse_packet(xdp, packet);

	if (verdict && !packet->destination.family)
		return verdict;
	if (!verdict)
		verdict = find_service(packet) ? serve(xdp, packet) : pass_by(xdp, packet);
	return verdict_passes(verdict) ? end_unserved(xdp, packet, verdict) : verdict;
}

SEC("xdp")
int sluice(struct xdp_md *xdp)
{
	struct sl_packet packet;
	enum sl_verdict verdict;

	packet_begin(&packet);
	verdict = run_pipeline(xdp, &packet);
	count_packet(&packet, verdict);
	return xdp_action(&packet, verdict);
}

/* The helpers used ask for a GPL-compatible program. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
