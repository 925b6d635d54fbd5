// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/unsent/unsent.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/clock.h"
#include "daemon/datapath/ring.h"
#include "daemon/datapath/unsent.h"
#include "daemon/log.h"
#include "daemon/nexthop/ports.h"
#include "daemon/nexthop/used.h"
#include "daemon/unsent/handovers.h"
#include "daemon/unsent/held.h"
#include "daemon/unsent/send.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define AT_ONCE   64    /* entries of the ring in one turn of the loop */
#define USE_MS    60000 /* how long a next hop that replies went to stays in use */
#define REVIEW_MS 100   /* changes of the kernel's come in crowds */

struct unsent {
	struct unsent_needs needs;
	struct ring *ring;
	struct handovers *handovers;
	struct held_queue held;
	uv_poll_t entries;
	uv_timer_t expiry; /* of what is held */
	uv_timer_t review;
	unsigned open; /* handles that the loop holds */
};

/* ---- sending ------------------------------------------------------------------- */

/* The addresses of a packet. False: it is cut short. */
static bool parse_addresses(const unsigned char *packet, size_t length, struct forwarded *ret_reply)
{
	static const struct sl_addr mapped = { .bytes = { [10] = 0xff, [11] = 0xff } };
	struct forwarded *reply = ret_reply;

	if (length >= 20 && packet[0] >> 4 == 4) {
		reply->source = reply->destination =
			(struct ip){ .addr = mapped, .family = SL_FAMILY_IPV4 };
		memcpy(&reply->source.addr.words[3], packet + 12, 4);
		memcpy(&reply->destination.addr.words[3], packet + 16, 4);
		return true;
	}
	if (length < 40 || packet[0] >> 4 != 6)
		return false;
	reply->source.family = reply->destination.family = SL_FAMILY_IPV6;
	memcpy(&reply->source.addr, packet + 8, 16);
	memcpy(&reply->destination.addr, packet + 24, 16);
	return true;
}

/* Whether the way leads over a bridge's port that takes frames from XDP. If so, the program
 * knows it from now on.
 */
static bool find_port(const struct unsent *unsent, const struct neighbour_key *next,
		      const struct nexthop_way *way)
{
	struct sl_port port = { .bridge = (__u32)next->ifindex };

	memcpy(port.mac, way->mac, sizeof(port.mac));
	return way->addressed && nexthops_find_port(unsent->needs.nexthops, &port);
}

/* The device takes no frames from XDP: the next replies go by the bridge's port, if it is a
 * bridge, or else by the kernel, if that forwards them.
 */
static void open_another_way(const struct unsent *unsent, const struct held *held,
			     const struct nexthop_way *way, const unsigned char *packet)
{
	struct forwarded reply = { .ingress = held->ingress };

	if (!find_port(unsent, &held->next, way) && parse_addresses(packet, held->length, &reply))
		handovers_meet(unsent->handovers, &reply, (unsigned)held->next.ifindex,
			       uv_now(unsent->needs.loop));
}

static void on_port(void *arg, const struct sl_port *port, const struct sl_device *device)
{
	struct unsent *unsent = arg;

	datapath_set_port(unsent->needs.datapath, port, device);
}

static void send_by(const struct unsent *unsent, const struct unsent_way *way,
		    const unsigned char *packet, size_t length)
{
	int error = unsent_send(unsent->needs.socket, way, packet, length);

	if (error)
		log_debug("a packet of %zu bytes cannot be sent by device %d: %s", length,
			  way->ifindex, strerror(-error));
}

/* Sends a packet by the way to its next hop, which is open. */
static void send_packet(const struct unsent *unsent, const struct held *held,
			const unsigned char *packet)
{
	struct nexthop_way way = nexthops_way(unsent->needs.nexthops, &held->next);
	struct unsent_way out = {
		.ifindex = held->next.ifindex,
		.addressed = way.addressed,
		.mtu = held->mtu && held->mtu < way.mtu ? held->mtu : way.mtu,
	};

	memcpy(out.mac, way.mac, sizeof(out.mac));
	send_by(unsent, &out, packet, held->length);
	if (held->kind == SL_UNSENT_DEVICE)
		open_another_way(unsent, held, &way, packet);
}

/* Sends a packet by a way that the program has found, in fragments. */
static void send_long(const struct unsent *unsent, const struct sl_unsent *head,
		      const unsigned char *packet)
{
	struct unsent_way way = {
		.ifindex = (int)head->hop.ifindex,
		.addressed = true,
		.vlan = head->hop.vlan,
		.mtu = head->hop.mtu,
	};

	memcpy(way.mac, head->hop.dst_mac, sizeof(way.mac));
	send_by(unsent, &way, packet, head->length);
}

static void on_expiry(uv_timer_t *timer);

static void set_expiry(struct unsent *unsent)
{
	const struct held *first = TAILQ_FIRST(&unsent->held.all);
	unsigned long long now = uv_now(unsent->needs.loop);

	if (first)
		(void)uv_timer_start(&unsent->expiry, on_expiry,
				     first->until_ms > now ? first->until_ms - now : 1, 0);
	else
		(void)uv_timer_stop(&unsent->expiry);
}

static void on_expiry(uv_timer_t *timer)
{
	struct unsent *unsent = timer->data;
	unsigned n = held_expire(&unsent->held, uv_now(unsent->needs.loop));

	if (n)
		log_debug("%u replies dropped: no neighbour has answered for their next hops", n);
	set_expiry(unsent);
}

/* The way to a next hop in use has changed. */
static void on_way(void *arg)
{
	struct unsent *unsent = arg;
	struct held *held, *next;

	for (held = TAILQ_FIRST(&unsent->held.all); held; held = next) {
		next = TAILQ_NEXT(held, link);
		if (!nexthops_way(unsent->needs.nexthops, &held->next).open)
			continue;
		send_packet(unsent, held, held->packet);
		held_drop(&unsent->held, held);
	}
	set_expiry(unsent);
}

/* ---- entries of the ring --------------------------------------------------------- */

/* The packet is there, and its device is a possible one. */
static bool is_sane(const struct sl_unsent *head, size_t room)
{
	return head->length <= room && head->length <= SL_UNSENT_BYTES &&
	       head->hop.ifindex <= INT_MAX;
}

static struct neighbour_key next_of(const struct sl_unsent *head)
{
	return (struct neighbour_key){
		.ip = { .addr = head->next, .family = head->next_family },
		.ifindex = (int)head->hop.ifindex,
	};
}

/* Sends the packet now, or keeps it until that is possible. */
static void take_packet(struct unsent *unsent, const struct sl_unsent *head,
			const unsigned char *packet)
{
	unsigned long long now = uv_now(unsent->needs.loop);
	struct held held = {
		.next = next_of(head),
		.until_ms = now + HELD_MS,
		.kind = (enum sl_unsent_kind)head->kind,
		.ingress = head->ingress,
		.mtu = head->hop.mtu,
		.length = head->length,
	};
	const struct nexthop_way none = {};

	if (!head->hop.ifindex) {
		open_another_way(unsent, &held, &none, packet);
		return;
	}
	nexthops_want(unsent->needs.nexthops, &held.next, HELD_MS);
	if (nexthops_way(unsent->needs.nexthops, &held.next).open)
		send_packet(unsent, &held, packet);
	else if (!held_add(&unsent->held, &held, packet))
		log_debug("a reply is dropped: too many wait for their next hops");
	set_expiry(unsent);
}

/* Replies are sent to a next hop. */
static void use(const struct unsent *unsent, const struct sl_unsent *head)
{
	const struct neighbour_key next = next_of(head);
	struct nexthop_way way;

	nexthops_use(unsent->needs.nexthops, &next, USE_MS);
	way = nexthops_way(unsent->needs.nexthops, &next);
	(void)find_port(unsent, &next, &way);
}

static void on_entry(void *arg, const void *entry, size_t size)
{
	struct unsent *unsent = arg;
	const unsigned char *packet = (const unsigned char *)entry + sizeof(struct sl_unsent);
	struct sl_unsent head;

	if (size < sizeof(head))
		return;
	memcpy(&head, entry, sizeof(head));
	/* The ring may be full of packets that came while no daemon ran. */
	if (!is_sane(&head, size - sizeof(head)) ||
	    clock_monotonic_ns() - head.at_ns > HELD_MS * 1000000ULL)
		return;
	switch ((enum sl_unsent_kind)head.kind) {
	case SL_UNSENT_NOTHING:
		use(unsent, &head);
		break;
	case SL_UNSENT_DEVICE:
	case SL_UNSENT_UNRESOLVED:
		take_packet(unsent, &head, packet);
		break;
	case SL_UNSENT_LONG:
		send_long(unsent, &head, packet);
		break;
	}
}

static void on_entries(uv_poll_t *handle, int status, int events)
{
	struct unsent *unsent = handle->data;

	(void)events;
	if (status >= 0)
		ring_read(unsent->ring, AT_ONCE);
}

/* ---- begin and end ----------------------------------------------------------------- */

static void on_review(uv_timer_t *timer)
{
	struct unsent *unsent = timer->data;

	handovers_review(unsent->handovers);
}

void unsent_review(struct unsent *unsent)
{
	if (!uv_is_active((uv_handle_t *)&unsent->review))
		(void)uv_timer_start(&unsent->review, on_review, REVIEW_MS, 0);
}

static void unsent_cleanup(struct unsent **unsent)
{
	if (!*unsent)
		return;
	ring_free((*unsent)->ring);
	handovers_free((*unsent)->handovers);
	free(*unsent);
}

int unsent_new(const struct unsent_needs *needs, struct diag *diag, struct unsent **ret_unsent)
{
	_cleanup_(unsent_cleanup) struct unsent *unsent = calloc(1, sizeof(*unsent));
	int error;

	if (!unsent)
		return diag_no_memory(diag);
	unsent->needs = *needs;
	held_init(&unsent->held);
	error = handovers_new(needs->datapath, needs->nexthops, &unsent->handovers)
			?: datapath_unsent_ring(needs->datapath, on_entry, unsent, &unsent->ring);
	if (error)
		return diag_set(diag, -error, "cannot listen to the program: %s", strerror(-error));
	datapath_forget_unsent(needs->datapath);
	unsent->entries.data = unsent->expiry.data = unsent->review.data = unsent;
	unsent->open = 3;
	(void)uv_poll_init(needs->loop, &unsent->entries, ring_fd(unsent->ring));
	(void)uv_timer_init(needs->loop, &unsent->expiry);
	(void)uv_timer_init(needs->loop, &unsent->review);
	(void)uv_poll_start(&unsent->entries, UV_READABLE, on_entries);
	nexthops_follow_used(needs->nexthops, on_way, unsent);
	nexthops_follow_ports(needs->nexthops, on_port, unsent);
	*ret_unsent = TAKE_PTR(unsent);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct unsent *unsent = handle->data;

	if (--unsent->open)
		return;
	unsent_cleanup(&unsent);
}

void unsent_free(struct unsent *unsent)
{
	if (!unsent)
		return;
	nexthops_follow_used(unsent->needs.nexthops, NULL, NULL);
	nexthops_follow_ports(unsent->needs.nexthops, NULL, NULL);
	held_done(&unsent->held);
	uv_close((uv_handle_t *)&unsent->entries, on_closed);
	uv_close((uv_handle_t *)&unsent->expiry, on_closed);
	uv_close((uv_handle_t *)&unsent->review, on_closed);
}

void unsent_each_problem(const struct unsent *unsent, unsent_say_fn *say, void *arg)
{
	if (unsent)
		handovers_each_problem(unsent->handovers, uv_now(unsent->needs.loop), say, arg);
}
