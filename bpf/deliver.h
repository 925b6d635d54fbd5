/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage deliver: takes the course that limit and select have set for a packet of a service.
 * The packet leaves for its backend, or it is refused.
 */
#ifndef SLUICE_BPF_DELIVER_H
#define SLUICE_BPF_DELIVER_H

#include "bpf/forward.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/reject.h"
#include "sluice/verdict.h"

static __always_inline enum sl_verdict refuse_without_backend(struct xdp_md *xdp,
							      struct sl_packet *packet)
{
	if (packet->service->flags & SL_SERVICE_REJECT && pace_refusals())
		return reject_packet(xdp, packet, REJECT_PROHIBITED) ? SL_REJECTED
								     : SL_DROP_NO_BACKEND;
	return SL_DROP_NO_BACKEND;
}

static __always_inline enum sl_verdict deliver(struct xdp_md *xdp, struct sl_packet *packet)
{
	switch (packet->course) {
	case COURSE_BACKEND:
	case COURSE_RESPONDER:
		return forward_to_backend(xdp, packet);
	case COURSE_REFUSE_LIMIT:
		return reject_packet(xdp, packet, REJECT_PROHIBITED) ? SL_REJECTED_LIMIT
								     : SL_DROP_LIMIT;
	case COURSE_REFUSE_NO_BACKEND:
		return refuse_without_backend(xdp, packet);
	}
	return SL_DROP_INTERNAL;
}

#endif
