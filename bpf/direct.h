/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Packets that are exchanged with a nat backend itself, and not through its service: such a
 * packet of a backend's is no reply, and stays as it is. Of all that a backend sends from its
 * service's port, these are the exception, so these are tracked.
 *
 * TCP tells by its numbers. A packet to a backend is noted with the number that the backend
 * acknowledges when it answers. A SYN-ACK belongs to the connection whose number it
 * acknowledges, and says which of two connections between the same ends the backend has: the
 * one through the service, or the one with itself. A later packet of the backend's belongs to
 * the noted one if it also begins where the noted packet's acknowledgement says. So a sender
 * who does not see these numbers cannot take the packets of another's connection for itself.
 *
 * UDP has no numbers. Where the service tracks all its flows, a packet to a peer that has none
 * is no reply. Elsewhere a question to a backend itself is answered by the backend itself, unless
 * the same peer has used the service lately. The service is preferred, because the sender of
 * the question may have lied about its address.
 *
 * So that other replies pay for no look-up, the backend's struct sl_return holds the time
 * until which it may have such peers, and a word of sl_direct_peers, which some peers share,
 * the time until which one of them may be such.
 */
#ifndef SLUICE_BPF_DIRECT_H
#define SLUICE_BPF_DIRECT_H

#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/clock.h"
#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/ours.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/service.h"
#include "sluice/second.h"

/* A backend's packet may begin so far behind its peer's last acknowledgement. */
#define DIRECT_WINDOW (1 << 20)

/* A packet between a backend and a peer, for the functions that the verifier follows apart. */
struct direct_ask {
	struct sl_direct_key key; /* number: 0 */
	/* TCP; of the packet, in host order. */
	__u32 begins, ends; /* sequence numbers: the first one, and that behind the last */
	__u32 acknowledges;
	__u32 flags;
};

static __always_inline __u32 direct_idle(const struct direct_ask *ask)
{
	return ask->key.backend.proto == IPPROTO_TCP ? sl_tuning.direct_tcp : sl_tuning.direct_udp;
}

static __always_inline bool direct_is_current(__u32 until, __u32 now)
{
	return until && sl_second_difference(until, now) > 0;
}

/* ---- the connections ------------------------------------------------------------ */

/* Whether the TCP connection is known; if so, it was seen now. Keys are on the stack, as Linux
 * 6.1 takes none by the argument of a function that it verifies apart.
 */
static __always_inline bool direct_continues(const struct sl_direct_key *key, __u32 now)
{
	struct sl_direct *flow = bpf_map_lookup_elem(&sl_direct_flows, key);
	__u32 until = now + sl_tuning.direct_tcp;

	if (!flow || !direct_is_current(flow->until, now))
		return false;
	if (flow->until != until)
		flow->until = until;
	return true;
}

static __always_inline void direct_confirm(const struct sl_direct_key *key, __u32 now)
{
	struct sl_direct flow = { .until = now + sl_tuning.direct_tcp };

	bpf_map_update_elem(&sl_direct_flows, key, &flow, BPF_ANY);
}

/* The peer's packet that has the key, or NULL. */
static __always_inline struct sl_direct *direct_asked(const struct sl_direct_key *key, __u32 now)
{
	struct sl_direct *asked = bpf_map_lookup_elem(&sl_direct_asked, key);

	return asked && direct_is_current(asked->until, now) ? asked : NULL;
}

/* Notes a packet to a backend itself. Returns whether it is to be answered by the backend
 * itself.
 */
__noinline int direct_request(struct direct_ask *ask)
{
	struct sl_direct noted = {};
	struct sl_direct_key key;
	struct sl_direct *before;
	__u32 now = coarse_seconds();

	if (!ask || ask->flags & TCP_RST)
		return false;
	key = ask->key;
	if (key.backend.proto == IPPROTO_UDP) {
		before = direct_asked(&key, now);
		if (before && before->state & SL_DIRECT_SERVED)
			return false;
		noted.until = now + sl_tuning.direct_udp;
	} else {
		bool opens = (ask->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

		if (!opens && direct_continues(&key, now))
			return true;
		key.number = ask->ends;
		noted.until = now + SL_DIRECT_ASKED_SECONDS;
		noted.acknowledged = ask->acknowledges;
		noted.state = opens ? SL_DIRECT_OPENS : 0;
	}
	bpf_map_update_elem(&sl_direct_asked, &key, &noted, BPF_ANY);
	return true;
}

/* A backend's SYN-ACK: whether it answers a SYN to the backend itself. If it does not, it says
 * that an older connection between these ends is over.
 */
static __always_inline bool direct_accepts(struct sl_direct_key *key, __u32 acknowledges, __u32 now)
{
	key->number = acknowledges;
	if (direct_asked(key, now))
		return true;
	key->number = 0;
	bpf_map_delete_elem(&sl_direct_flows, key);
	return false;
}

/* A backend's later packet: whether it answers a packet to the backend itself. Once it fits
 * both of its numbers, the connection is known.
 */
static __always_inline bool direct_answers(struct sl_direct_key *key, const struct direct_ask *ask,
					   __u32 now)
{
	const struct sl_direct *asked;

	key->number = ask->acknowledges;
	asked = ask->flags & TCP_ACK ? direct_asked(key, now) : NULL;
	if (!asked || asked->state & SL_DIRECT_OPENS)
		return asked != NULL;
	if (ask->begins - asked->acknowledged >= DIRECT_WINDOW)
		return false;
	key->number = 0;
	direct_confirm(key, now);
	return true;
}

/* Whether a backend's packet is none of its service's. */
__noinline int direct_reply(struct direct_ask *ask)
{
	struct sl_direct_key key;
	struct sl_direct *asked;
	__u32 now = coarse_seconds();

	if (!ask)
		return false;
	key = ask->key;
	if (key.backend.proto == IPPROTO_UDP) {
		asked = direct_asked(&key, now);
		return asked && !(asked->state & SL_DIRECT_SERVED);
	}
	switch (ask->flags & (TCP_SYN | TCP_ACK)) {
	case TCP_SYN: /* it opens a connection itself */
		direct_confirm(&key, now);
		return true;
	case TCP_SYN | TCP_ACK:
		return direct_accepts(&key, ask->acknowledges, now);
	}
	return direct_continues(&key, now) || direct_answers(&key, ask, now);
}

/* Notes that a peer uses the service (UDP). */
__noinline int direct_served(struct direct_ask *ask)
{
	struct sl_direct noted = { .state = SL_DIRECT_SERVED };
	struct sl_direct_key key;
	struct sl_direct *before;
	__u32 now = coarse_seconds();

	if (!ask)
		return 0;
	key = ask->key;
	noted.until = now + sl_tuning.direct_udp;
	before = direct_asked(&key, now);
	if (!before || before->until != noted.until || !(before->state & SL_DIRECT_SERVED))
		bpf_map_update_elem(&sl_direct_asked, &key, &noted, BPF_ANY);
	return 0;
}

/* ---- who may have some ------------------------------------------------------------ */

/* The word that holds until when the packets of a backend to this peer are looked up. */
static __always_inline __u32 *direct_peer(const struct sl_addr *peer, __be16 port)
{
	__u64 hash = (peer->halves[0] ^ peer->halves[1] ^ port) * 0x9e3779b97f4a7c15ULL;
	__u32 word = hash >> (64 - SL_DIRECT_PEER_BITS);

	return bpf_map_lookup_elem(&sl_direct_peers, &word);
}

static __always_inline void direct_extend(__u32 *word, __u32 until)
{
	__u32 before = *word;

	if (!before || sl_second_difference(until, before) > 0)
		*word = until;
}

/* From now on, packets of this backend to this peer are looked up. */
static __always_inline void direct_mark(struct sl_return *backend, const struct direct_ask *ask)
{
	__u32 *peer = direct_peer(&ask->key.peer, ask->key.port);
	__u32 longer = ask->key.backend.proto == IPPROTO_TCP ? SL_DIRECT_ASKED_SECONDS : 0;
	/* One more, as two CPUs may do this at the same time. */
	__u32 until = coarse_seconds() + direct_idle(ask) + longer + 1;

	if (peer)
		direct_extend(peer, until);
	direct_extend(&backend->direct_until, until);
}

/* Whether a packet of this backend to this peer is to be looked up. The backend's time is
 * cleared when it is over, unless it is changed at this moment.
 */
static __always_inline bool direct_possible(struct sl_return *backend,
					    const struct sl_packet *packet)
{
	__u32 *peer = direct_peer(&packet->destination.addr, packet->destination.port);
	__u32 until = backend->direct_until, now = coarse_seconds();

	if (direct_is_current(until, now))
		return peer && direct_is_current(*peer, now);
	__sync_val_compare_and_swap(&backend->direct_until, until, 0);
	return false;
}

/* ---- packets ---------------------------------------------------------------------- */

/* Reads the packet's numbers. False: it is TCP, and its header is not whole. */
static __always_inline bool direct_numbers(struct xdp_md *xdp, const struct sl_packet *packet,
					   struct direct_ask *ask)
{
	struct tcphdr *tcp;

	if (!packet_is_tcp(packet))
		return true;
	tcp = packet_tcp(xdp, packet);
	if (!tcp || packet->broken == SL_DROP_MALFORMED)
		return false;
	ask->flags = *((__u8 *)tcp + TCP_FLAGS_AT);
	ask->begins = bpf_ntohl(tcp->seq);
	ask->acknowledges = bpf_ntohl(tcp->ack_seq);
	ask->ends = ask->begins + !!(ask->flags & TCP_SYN);
	/* Data in a SYN may be acknowledged later. */
	if (!(ask->flags & TCP_SYN))
		ask->ends += packet->end - packet->l4 - tcp->doff * 4 + !!(ask->flags & TCP_FIN);
	return true;
}

/* A peer asks over UDP. From now on, packets of peers through the service are noted. */
static __always_inline void direct_watch(const struct sl_return *entry)
{
	__u32 index = entry->backend;
	struct sl_backend *backend = bpf_map_lookup_elem(&sl_backends, &index);

	if (backend && !(backend->state & SL_BACKEND_ASKED))
		__sync_fetch_and_or(&backend->state, SL_BACKEND_ASKED);
}

/* Notes a packet for a backend itself. */
static __always_inline enum sl_verdict
direct_note(struct xdp_md *xdp, const struct sl_packet *packet, struct sl_return *entry)
{
	struct direct_ask ask = {
		.key = { .backend = entry->key,
			 .peer = packet->source,
			 .port = packet->source_port },
	};

	if (!direct_numbers(xdp, packet, &ask) || !direct_request(&ask))
		return SL_PASS_DIRECT;
	direct_mark(entry, &ask);
	if (!packet_is_tcp(packet))
		direct_watch(entry);
	return SL_PASS_DIRECT;
}

/* A packet that is for no service: passes it, and notes it where it is for a backend itself. */
static __always_inline enum sl_verdict direct_pass(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct sl_return *entry = find_endpoint(&packet->destination);

	if (likely(!entry))
		return SL_PASS_NO_SERVICE;
	parse_left(xdp, packet);
	return check_frame(xdp, packet) ? SL_PASS_FOREIGN_FRAME : direct_note(xdp, packet, entry);
}

/* Looks a backend's packet up. Returns whether it is none of its service's. */
static __always_inline bool direct_look_up(struct xdp_md *xdp, const struct sl_packet *packet)
{
	struct direct_ask ask = {
		.key = { .backend = packet->reply->key,
			 .peer = packet->destination.addr,
			 .port = packet->destination.port },
	};

	if (!direct_numbers(xdp, packet, &ask) || !direct_reply(&ask))
		return false;
	direct_mark(packet->reply, &ask);
	return true;
}

/* Whether the packet goes to a client of the service that tracks all its flows. If so, the
 * flow was seen now.
 */
static __always_inline bool direct_has_flow(const struct sl_packet *packet)
{
	struct sl_flow_key key = {
		.source = packet->destination.addr,
		.port = packet->destination.port,
		.service = packet->reply->service,
	};
	struct sl_flow *flow = bpf_map_lookup_elem(&sl_flows, &key);

	if (flow)
		flow_see(flow, coarse_seconds());
	return flow;
}

/* Whether a packet that comes from the backend of packet->reply is none of its service's. */
static __always_inline bool direct_is_reply(struct xdp_md *xdp, const struct sl_packet *packet)
{
	if (likely(!packet->syn && !packet->reply->exceptions))
		return false;
	if (packet->reply->flags & SL_RETURN_TRACKED)
		return !direct_has_flow(packet);
	return (packet->syn || direct_possible(packet->reply, packet)) &&
	       direct_look_up(xdp, packet);
}

/* A packet of a service for a backend that peers may be asking itself. */
static __always_inline void direct_serve(const struct sl_packet *packet, struct sl_backend *backend)
{
	struct direct_ask ask = {
		.key = {
			.backend = {
				.addr = backend->addr,
				.port = backend->port,
				.proto = packet->destination.proto,
				.family = packet->destination.family,
			},
			.peer = packet->source,
			.port = packet->source_port,
		},
	};
	const struct sl_return *entry;

	entry = find_endpoint(&ask.key.backend);
	if (entry && direct_is_current(entry->direct_until, coarse_seconds()))
		direct_served(&ask);
	else
		__sync_fetch_and_and(&backend->state, ~SL_BACKEND_ASKED);
}

#endif
