// SPDX-License-Identifier: BSD-2-Clause
/* What happens to the targets: neighbours are followed one by one; routes are
 * asked for anew, in a pass over all targets, when anything about routes, rules,
 * addresses or links has changed. Invariant: every callback of the loop ends with
 * finish().
 */
#include <string.h>

#include <arpa/inet.h>

#include "daemon/log.h"
#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/gateways.h"
#include "daemon/nexthop/stations.h"
#include "daemon/nexthop/watched.h"

#define ROUTES_DELAY_MS 50  /* changes of routes come in crowds */
#define ROUTES_AT_ONCE  512 /* look-ups in one turn of the loop: a few ms */
#define ROUTES_REST     4   /* after a pass over all, a rest this much longer */
#define RETRY_MS        1000

static void on_routes_timer(uv_timer_t *timer);
static void finish(struct nexthops *hops);

/* Has all routes asked for again. */
static void schedule_routes(struct nexthops *hops)
{
	const uint64_t now = uv_now(hops->loop);
	uint64_t at = now + ROUTES_DELAY_MS;

	gateways_review(hops->gateways);
	if (hops->routes_due)
		return;
	hops->routes_due = true;
	if (at < hops->rest_end_ms)
		at = hops->rest_end_ms;
	if (TAILQ_EMPTY(&hops->unrouted)) /* else the running pass sees to it */
		(void)uv_timer_start(&hops->routes_timer, on_routes_timer, at - now, 0);
}

static void begin_pass(struct nexthops *hops)
{
	struct target *target;

	hops->routes_due = false;
	hops->routes_failed = false;
	hops->pass_ns = 0;
	for (target = TAILQ_FIRST(&hops->routed); target; target = TAILQ_NEXT(target, route_link))
		target->unrouted = true;
	TAILQ_CONCAT(&hops->unrouted, &hops->routed, route_link);
}

static void end_pass(struct nexthops *hops)
{
	const bool again = hops->routes_due || hops->routes_failed;
	const uint64_t rest_ms = hops->pass_ns / 1000000 * ROUTES_REST;

	uv_update_time(hops->loop);
	hops->rest_end_ms = uv_now(hops->loop) + (hops->routes_failed ? RETRY_MS : rest_ms);
	hops->routes_due = false;
	if (again)
		schedule_routes(hops);
}

/* Takes the next few of the pass. */
static void route_some(struct nexthops *hops)
{
	const uint64_t started_ns = uv_hrtime();
	struct target *target;
	int i, error;

	for (i = 0; i < ROUTES_AT_ONCE && (target = TAILQ_FIRST(&hops->unrouted)); i++) {
		TAILQ_REMOVE(&hops->unrouted, target, route_link);
		TAILQ_INSERT_TAIL(&hops->routed, target, route_link);
		target->unrouted = false;
		error = nexthop_path_find(&hops->sources, &target->ip, uv_now(hops->loop),
					  &target->path);
		if (error < 0 && !hops->routes_failed)
			log_warning("cannot look up a route, trying again: %s", strerror(-error));
		hops->routes_failed |= error < 0;
		nexthops_mark_dirty(target);
	}
	hops->pass_ns += uv_hrtime() - started_ns;
}

static void on_routes_timer(uv_timer_t *timer)
{
	struct nexthops *hops = timer->data;

	if (TAILQ_EMPTY(&hops->unrouted))
		begin_pass(hops);
	route_some(hops);
	if (TAILQ_EMPTY(&hops->unrouted))
		end_pass(hops);
	else /* not 0: libuv 1.44 would run it again before it looks at sockets */
		(void)uv_timer_start(&hops->routes_timer, on_routes_timer, 1, 0);
	finish(hops);
}

/* A device has come, gone or changed. */
static void on_devices(struct nexthops *hops)
{
	hops->heard = true;
	hops->devices_heard = true;
	port_set_doubt_all(&hops->ports);
	hops->own_heard = true;
	schedule_routes(hops);
}

static void resync(struct nexthops *hops)
{
	struct nexthop_sources *sources = &hops->sources;
	int error;

	error = links_load(&sources->links, sources->netlink);
	if (error == 0)
		error = addresses_load(&sources->addresses, sources->netlink);
	if (error == 0)
		error = neighbours_load(&sources->neighbours, uv_now(hops->loop));
	if (error)
		log_warning("cannot read links, addresses and neighbours, trying again: %s",
			    strerror(-error));
	hops->resync_due = error < 0;
	on_devices(hops);
}

static void on_message(const struct nlmsghdr *message, void *arg)
{
	struct nexthops *hops = arg;
	bool heard = true;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (links_take(&hops->sources.links, message))
			on_devices(hops);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (addresses_take(&hops->sources.addresses, message))
			hops->own_heard = true;
		schedule_routes(hops);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		heard = neighbours_take(&hops->sources.neighbours, message, uv_now(hops->loop));
		port_set_take(&hops->ports, message);
		break;
	case RTM_NEWNETCONF: /* whether a device forwards: no route, but ways depend on it */
	case RTM_DELNETCONF:
		break;
	default: /* a route, a rule, a next hop */
		schedule_routes(hops);
		break;
	}
	hops->heard |= heard;
}

static void on_tend_timer(uv_timer_t *timer);

void nexthops_set_tend_timer(struct nexthops *hops)
{
	const uint64_t now = uv_now(hops->loop);
	uint64_t at = hops->sources.neighbours.tend_at_ms;

	if ((hops->resync_due || !TAILQ_EMPTY(&hops->used.all)) && at > now + RETRY_MS)
		at = now + RETRY_MS;
	if (at == UINT64_MAX)
		(void)uv_timer_stop(&hops->tend_timer);
	else
		(void)uv_timer_start(&hops->tend_timer, on_tend_timer, at > now ? at - now : 1, 0);
}

/* The ways of next hops in use depend on their devices too. */
static void tell_used(struct nexthops *hops)
{
	if ((hops->used.changed || hops->heard) && hops->used_changed)
		hops->used_changed(hops->used_arg);
	hops->used.changed = false;
}

static void tell_change(struct nexthops *hops)
{
	if (features_ask(&hops->sources.features, &hops->sources.links))
		on_devices(hops);
	if (hops->devices_heard && hops->devices_changed) {
		hops->devices_heard = false; /* first: the call may change something */
		hops->devices_changed(hops->devices_arg);
	}
	if (hops->own_heard && hops->own_changed)
		hops->own_changed(hops->own_arg);
	hops->own_heard = false;
	if (hops->heard && hops->change)
		hops->change(hops->change_arg);
	hops->heard = false;
}

/* How every callback of the loop ends. */
static void finish(struct nexthops *hops)
{
	port_set_review(&hops->ports);
	tell_used(hops);
	tell_change(hops);
	nexthops_set_tend_timer(hops);
	nexthops_flush(hops);
}

static void on_end(bool lost, void *arg)
{
	struct nexthops *hops = arg;

	if (lost || hops->sources.links.short_of_memory || hops->sources.addresses.short_of_memory)
		resync(hops);
	finish(hops);
}

static void on_tend_timer(uv_timer_t *timer)
{
	struct nexthops *hops = timer->data;

	/* What the operator has made permanent a moment ago must not be asked for. */
	if (netlink_hear(hops->sources.netlink) || hops->resync_due)
		resync(hops);
	kept_expire(&hops->used, uv_now(hops->loop));
	neighbours_tend(&hops->sources.neighbours, &hops->sources.links, uv_now(hops->loop));
	finish(hops);
}

struct netlink_listener nexthops_listener(struct nexthops *hops)
{
	return (struct netlink_listener){ .message = on_message, .end = on_end, .arg = hops };
}

static void on_features(const struct nlmsghdr *message, void *arg)
{
	struct nexthops *hops = arg;

	if (features_take(&hops->sources.links, message))
		on_devices(hops);
}

static void on_features_end(bool lost, void *arg)
{
	struct nexthops *hops = arg;

	if (lost) {
		features_load(&hops->sources.features, &hops->sources.links);
		on_devices(hops);
	}
	finish(hops);
}

struct netlink_listener nexthops_features_listener(struct nexthops *hops)
{
	return (struct netlink_listener){ .message = on_features,
					  .end = on_features_end,
					  .arg = hops };
}

void nexthops_set_natives(struct nexthops *hops, unsigned natives)
{
	const struct links *links = &hops->sources.links;

	if (links->natives == natives)
		return;
	hops->sources.links.natives = natives;
	on_devices(hops);
}

void nexthops_follow_devices(struct nexthops *hops, nexthop_changed_fn *changed, void *arg)
{
	hops->devices_changed = changed;
	hops->devices_arg = arg;
}

void nexthops_follow_changes(struct nexthops *hops, nexthop_changed_fn *changed, void *arg)
{
	hops->change = changed;
	hops->change_arg = arg;
}

const struct links *nexthops_links(const struct nexthops *hops)
{
	return &hops->sources.links;
}

void nexthops_follow_own(struct nexthops *hops, nexthop_changed_fn *changed, void *arg)
{
	hops->own_changed = changed;
	hops->own_arg = arg;
}

int nexthops_each_station(const struct nexthops *hops, nexthop_station_fn *each, void *arg)
{
	struct stations stations;
	int error = stations_find(&hops->sources.links, &hops->sources.addresses, &stations);

	for (size_t i = 0; !error && i < stations.n; i++)
		each(arg, &stations.list[i].key, stations.list[i].state);
	stations_done(&stations);
	return error;
}

void nexthops_each_address(const struct nexthops *hops, nexthop_address_fn *each, void *arg)
{
	const struct address *address = NULL;
	struct ip broadcast;

	while ((address = addresses_next(&hops->sources.addresses, address))) {
		each(arg, &address->ip);
		if (address_broadcast(address, &broadcast))
			each(arg, &broadcast);
	}
}

void nexthops_each_device(const struct nexthops *hops, nexthop_device_fn *each, void *arg)
{
	const struct hash_node *node = NULL;

	while ((node = hashtable_next(&hops->sources.links.by_index, node))) {
		const struct link *link = HASH_ENTRY(node, const struct link, node);
		const struct link *carrier = links_carrier(&hops->sources.links, link);
		struct sl_device device = {};

		if (!carrier || !links_redirects(&hops->sources.links, carrier))
			continue;
		device.ifindex = (unsigned)carrier->ifindex;
		device.vlan = carrier == link ? 0 : htons(link->vlan);
		each(arg, (unsigned)link->ifindex, &device);
	}
}
