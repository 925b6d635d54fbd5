// SPDX-License-Identifier: BSD-2-Clause
/* Watches of next hops: who is told what. Watches of one address share a target,
 * and so the work.
 */
#include "daemon/nexthop/nexthops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/gateways.h"
#include "daemon/nexthop/watched.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* The kernel's table of neighbours has room for 1024, unless gc_thresh3 is raised. */
#define USED_MAX 512

static void on_neighbour(struct neighbour_user *user)
{
	nexthops_mark_dirty(user->owner);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct nexthops *hops = handle->data;

	if (--hops->n_open == 0)
		free(hops);
}

void nexthops_free(struct nexthops *hops)
{
	if (!hops)
		return;
	features_close(&hops->sources.features);
	gateways_free(hops->gateways);
	kept_done(&hops->used);
	port_set_done(&hops->ports);
	netlink_free(hops->sources.netlink);
	neighbours_done(&hops->sources.neighbours);
	links_done(&hops->sources.links);
	addresses_done(&hops->sources.addresses);
	hashtable_done(&hops->targets);
	uv_close((uv_handle_t *)&hops->routes_timer, on_timer_closed);
	uv_close((uv_handle_t *)&hops->tend_timer, on_timer_closed);
	uv_close((uv_handle_t *)&hops->flush_timer, on_timer_closed);
}

DEFINE_CLEANUP(nexthops_free, struct nexthops *);

static void init_timer(struct nexthops *hops, uv_timer_t *timer)
{
	(void)uv_timer_init(hops->loop, timer); /* always 0 */
	timer->data = hops;
	hops->n_open++;
}

static void on_gateways(void *arg)
{
	nexthops_set_tend_timer(arg);
}

static int start_gateways(struct nexthops *hops, struct diag *diag)
{
	const struct gateways_needs needs = {
		.loop = hops->loop,
		.neighbours = &hops->sources.neighbours,
		.links = &hops->sources.links,
		.tend = on_gateways,
		.arg = hops,
	};

	return gateways_new(&needs, diag, &hops->gateways);
}

int nexthops_new(struct uv_loop_s *loop, struct diag *diag, struct nexthops **ret_hops)
{
	_cleanup_(nexthops_freep) struct nexthops *hops = calloc(1, sizeof(*hops));
	struct netlink_listener listener;
	int error;

	if (!hops)
		return diag_no_memory(diag);
	hops->loop = loop;
	kept_init(&hops->used, &hops->sources.neighbours, USED_MAX);
	TAILQ_INIT(&hops->routed);
	TAILQ_INIT(&hops->unrouted);
	TAILQ_INIT(&hops->dirty);
	TAILQ_INIT(&hops->pending);
	init_timer(hops, &hops->routes_timer);
	init_timer(hops, &hops->tend_timer);
	init_timer(hops, &hops->flush_timer);
	listener = nexthops_listener(hops);
	error = netlink_new(loop, &listener, diag, &hops->sources.netlink);
	if (error)
		return error;
	neighbours_init(&hops->sources.neighbours, hops->sources.netlink);
	listener = nexthops_features_listener(hops);
	features_open(&hops->sources.features, loop, &listener);
	hops->ports.netlink = hops->sources.netlink;
	hops->ports.links = &hops->sources.links;
	error = links_load(&hops->sources.links, hops->sources.netlink);
	if (error)
		return diag_set(diag, -error, "cannot read the network devices: %s",
				strerror(-error));
	features_load(&hops->sources.features, &hops->sources.links);
	(void)features_ask(&hops->sources.features, &hops->sources.links);
	error = addresses_load(&hops->sources.addresses, hops->sources.netlink);
	if (error)
		return diag_set(diag, -error, "cannot read the addresses of this machine: %s",
				strerror(-error));
	error = start_gateways(hops, diag);
	if (error)
		return error;
	*ret_hops = TAKE_PTR(hops);
	return 0;
}

/* By what a target is found. */
struct target_key {
	const struct ip *ip;
	bool route_only;
};

static uint64_t key_hash(const struct target_key *key)
{
	return hash_bytes(key->ip->addr.bytes, sizeof(key->ip->addr.bytes),
			  key->ip->family | (key->route_only ? 1U << 8 : 0));
}

static bool target_equal(const struct hash_node *node, const void *arg)
{
	const struct target *target = HASH_ENTRY(node, const struct target, node);
	const struct target_key *key = arg;

	return target->path.route_only == key->route_only && ip_equal(&target->ip, key->ip);
}

static int target_new(struct nexthops *hops, const struct target_key *key,
		      struct target **ret_target)
{
	_cleanup_(cleanup_free) struct target *target = calloc(1, sizeof(*target));
	int error;

	if (!target || hashtable_insert(&hops->targets, &target->node, key_hash(key)) < 0)
		return -ENOMEM;
	target->hops = hops;
	target->ip = *key->ip;
	target->path.user.changed = on_neighbour;
	target->path.route_only = key->route_only;
	target->path.user.owner = target;
	LIST_INIT(&target->watches);
	error = nexthop_path_find(&hops->sources, key->ip, uv_now(hops->loop), &target->path);
	if (error) {
		hashtable_remove(&hops->targets, &target->node);
		return error;
	}
	target->hop = nexthop_path_describe(&hops->sources, &target->path);
	TAILQ_INSERT_TAIL(&hops->routed, target, route_link);
	nexthops_set_tend_timer(hops);
	*ret_target = TAKE_PTR(target);
	return 0;
}

static void target_free(struct target *target)
{
	struct nexthops *hops = target->hops;

	nexthop_path_drop(&hops->sources, &target->path);
	hashtable_remove(&hops->targets, &target->node);
	TAILQ_REMOVE(target->unrouted ? &hops->unrouted : &hops->routed, target, route_link);
	if (target->dirty)
		TAILQ_REMOVE(&hops->dirty, target, dirty_link);
	free(target);
}

static int watch_new(struct nexthops *hops, const struct target_key *key,
		     struct nexthop_watch **ret_watch)
{
	_cleanup_(cleanup_free) struct nexthop_watch *watch = calloc(1, sizeof(*watch));
	struct hash_node *node;
	int error = 0;

	if (!watch)
		return -ENOMEM;
	node = hashtable_find(&hops->targets, key_hash(key), key, target_equal);
	if (node)
		watch->target = HASH_ENTRY(node, struct target, node);
	else
		error = target_new(hops, key, &watch->target);
	if (error)
		return error;
	LIST_INSERT_HEAD(&watch->target->watches, watch, link);
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

int nexthop_watch_new(struct nexthops *hops, const struct ip *ip, nexthop_changed_fn *changed,
		      void *arg, struct nexthop_watch **ret_watch)
{
	const struct target_key key = { .ip = ip };
	int error = watch_new(hops, &key, ret_watch);

	if (error)
		return error;
	(*ret_watch)->changed = changed;
	(*ret_watch)->arg = arg;
	return 0;
}

int nexthop_watch_route(struct nexthops *hops, const struct ip *ip, nexthop_changed_fn *changed,
			void *arg, struct nexthop_watch **ret_watch)
{
	const struct target_key key = { .ip = ip, .route_only = true };
	int error = watch_new(hops, &key, ret_watch);

	if (error)
		return error;
	(*ret_watch)->changed = changed;
	(*ret_watch)->arg = arg;
	return 0;
}

void nexthop_watch_free(struct nexthop_watch *watch)
{
	struct target *target;

	if (!watch)
		return;
	target = watch->target;
	LIST_REMOVE(watch, link);
	if (watch->pending)
		TAILQ_REMOVE(&target->hops->pending, watch, pending_link);
	free(watch);
	if (LIST_EMPTY(&target->watches))
		target_free(target);
}

const struct nexthop *nexthop_watch_get(const struct nexthop_watch *watch)
{
	return &watch->target->hop;
}
