// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/gateways.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/log.h"
#include "daemon/netlink/dump.h"
#include "daemon/nexthop/kept.h"
#include "daemon/nexthop/links.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define GATEWAYS_MAX 256
#define DELAY_MS     200  /* changes of routes come in crowds */
#define REST_MS      1000 /* at least, between two readings */
#define REST         50   /* the pause is at least this many times as long as the reading took */

static const int families[] = { AF_INET, AF_INET6 };

struct gateways {
	struct gateways_needs needs;
	struct netlink_dump *dump;
	struct kept_set kept; /* until: the number of a reading */
	uv_timer_t timer;
	size_t family;     /* index into families: the one that is being read */
	bool reading;      /* a reading is under way */
	bool due;          /* another one is to begin */
	bool torn;         /* the one under way has missed something */
	uint64_t number;   /* of the reading under way, or the last one */
	uint64_t began_ns; /* uv_hrtime() */
	uint64_t rest_end_ms;
};

static void begin(struct gateways *gateways);

static void on_timer(uv_timer_t *timer)
{
	begin(timer->data);
}

void gateways_review(struct gateways *gateways)
{
	uint64_t now, at;

	if (!gateways)
		return;
	gateways->due = true;
	if (gateways->reading || uv_is_active((uv_handle_t *)&gateways->timer))
		return;
	now = uv_now(gateways->needs.loop);
	at = now + DELAY_MS < gateways->rest_end_ms ? gateways->rest_end_ms : now + DELAY_MS;
	(void)uv_timer_start(&gateways->timer, on_timer, at - now, 0);
}

static void end(struct gateways *gateways)
{
	uint64_t took_ms = (uv_hrtime() - gateways->began_ns) / 1000000;
	uint64_t rest_ms = took_ms * REST < REST_MS ? REST_MS : took_ms * REST;

	gateways->reading = false;
	if (!gateways->torn)
		kept_expire(&gateways->kept, gateways->number);
	uv_update_time(gateways->needs.loop);
	gateways->rest_end_ms = uv_now(gateways->needs.loop) + rest_ms;
	gateways->needs.tend(gateways->needs.arg);
	if (gateways->due || gateways->torn)
		gateways_review(gateways);
}

/* Reads the routes of the next family. */
static void read_family(struct gateways *gateways)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	int error;

	header->rtm_family = (unsigned char)families[gateways->family];
	error = netlink_dump_begin(gateways->dump, request);
	if (!error)
		return;
	log_debug("cannot read the routes, trying again: %s", strerror(-error));
	gateways->torn = true;
	end(gateways);
}

static void begin(struct gateways *gateways)
{
	gateways->reading = true;
	gateways->due = gateways->torn = false;
	gateways->family = 0;
	gateways->number++;
	gateways->began_ns = uv_hrtime();
	read_family(gateways);
}

/* A kernel without IPv6 has no routes of it. */
static void on_end(int error, void *arg)
{
	struct gateways *gateways = arg;

	if (error && error != -EOPNOTSUPP)
		gateways->torn = true;
	if (++gateways->family < ARRAY_SIZE(families))
		read_family(gateways);
	else
		end(gateways);
}

static void keep(struct gateways *gateways, int ifindex, const struct ip *gateway)
{
	const struct neighbour_key key = { .ip = *gateway, .ifindex = ifindex };
	const struct link *link = links_find(gateways->needs.links, ifindex);

	if (link && link->ethernet && kept_may(&gateways->kept, &key))
		kept_keep(&gateways->kept, &key, uv_now(gateways->needs.loop),
			  gateways->number + 1);
}

/* A gateway may be IPv6 for an IPv4 destination. */
static void keep_next_hop(struct gateways *gateways, int ifindex, int af,
			  const struct nlattr **attrs)
{
	struct ip gateway;

	if (netlink_get_ip(attrs[RTA_GATEWAY], af, &gateway) ||
	    netlink_get_via(attrs[RTA_VIA], &gateway))
		keep(gateways, ifindex, &gateway);
}

/* The next hops of one route, each of a length of its own, with attributes behind it. */
static void keep_multipath(struct gateways *gateways, int af, const struct nlattr *paths)
{
	const struct nlattr *attrs[RTA_MAX + 1];
	const char *next = mnl_attr_get_payload(paths);
	size_t left = mnl_attr_get_payload_len(paths), step;
	struct rtnexthop hop;

	for (; left >= sizeof(hop); next += step, left -= step) {
		memcpy(&hop, next, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		netlink_attributes(next + sizeof(hop), hop.rtnh_len - sizeof(hop), RTA_MAX, attrs);
		keep_next_hop(gateways, hop.rtnh_ifindex, af, attrs);
		step = (size_t)RTNH_ALIGN(hop.rtnh_len);
		if (step > left)
			return;
	}
}

static void on_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[RTA_MAX + 1];
	struct gateways *gateways = arg;
	__u32 ifindex;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_attrs(message, sizeof(*header), RTA_MAX, attrs) ||
	    header->rtm_type != RTN_UNICAST)
		return;
	if (attrs[RTA_MULTIPATH])
		keep_multipath(gateways, header->rtm_family, attrs[RTA_MULTIPATH]);
	else if (netlink_get_u32(attrs[RTA_OIF], &ifindex))
		keep_next_hop(gateways, (int)ifindex, header->rtm_family, attrs);
}

int gateways_new(const struct gateways_needs *needs, struct diag *diag,
		 struct gateways **ret_gateways)
{
	_cleanup_(cleanup_free) struct gateways *gateways = calloc(1, sizeof(*gateways));
	struct netlink_dump_reader reader = { .message = on_route, .end = on_end, .arg = gateways };
	int error;

	if (!gateways)
		return diag_no_memory(diag);
	gateways->needs = *needs;
	kept_init(&gateways->kept, needs->neighbours, GATEWAYS_MAX);
	error = netlink_dump_new(needs->loop, &reader, diag, &gateways->dump);
	if (error)
		return error;
	(void)uv_timer_init(needs->loop, &gateways->timer);
	gateways->timer.data = gateways;
	(void)uv_timer_start(&gateways->timer, on_timer, 0, 0);
	*ret_gateways = TAKE_PTR(gateways);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void gateways_free(struct gateways *gateways)
{
	if (!gateways)
		return;
	kept_done(&gateways->kept);
	netlink_dump_free(gateways->dump);
	uv_close((uv_handle_t *)&gateways->timer, on_closed);
}
