/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The addresses that are watched, for nexthop/ alone: nexthops.c makes and frees them,
 * follow.c brings the kernel's changes to them. A target is an address that is watched.
 *
 * Invariants: a target exists as long as it has watches, and is in exactly one of
 * `routed` and `unrouted`. Once it has been seen, its hop changes in
 * nexthops_flush() alone.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_WATCHED_H
#define SLUICE_DAEMON_NEXTHOP_WATCHED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/nexthop/kept.h"
#include "daemon/nexthop/nexthop.h"
#include "daemon/nexthop/path.h"
#include "daemon/nexthop/port_set.h"
#include "lib/base/hashtable.h"

struct gateways;

TAILQ_HEAD(target_list, target);

struct nexthops {
	struct uv_loop_s *loop;
	struct nexthop_sources sources;
	struct hashtable targets;            /* by address */
	struct target_list routed;           /* have had their turn in the last pass */
	struct target_list unrouted;         /* have not */
	struct target_list dirty;            /* their hop is to be computed */
	TAILQ_HEAD(, nexthop_watch) pending; /* to be called */
	struct kept_set used;                /* the next hops of used.h */
	struct port_set ports;
	struct gateways *gateways;
	uv_timer_t routes_timer;
	uv_timer_t tend_timer;
	uv_timer_t flush_timer;          /* goes on with dirty and pending */
	bool routes_due;                 /* a pass is to begin */
	bool routes_failed;              /* in the running pass */
	bool resync_due;                 /* links and neighbours are not what the kernel has */
	uint64_t pass_ns;                /* what the running pass took so far */
	uint64_t rest_end_ms;            /* the next pass does not begin before */
	unsigned n_open;                 /* timers that the loop holds */
	bool own_heard;                  /* a change of links or addresses, untold */
	nexthop_changed_fn *own_changed; /* NULL: not asked for */
	void *own_arg;
	nexthop_changed_fn *devices_changed; /* NULL: not asked for */
	void *devices_arg;
	bool devices_heard;         /* a change of devices, since it was told on */
	bool heard;                 /* any change, since it was told on */
	nexthop_changed_fn *change; /* NULL: not asked for */
	void *change_arg;
	nexthop_changed_fn *used_changed; /* NULL: not asked for */
	void *used_arg;
};

struct target {
	struct hash_node node;
	struct nexthops *hops;
	struct ip ip;
	struct nexthop_path path;
	struct nexthop hop;
	bool unrouted; /* in hops->unrouted, else in hops->routed */
	bool dirty;    /* in hops->dirty */
	TAILQ_ENTRY(target) route_link;
	TAILQ_ENTRY(target) dirty_link;
	LIST_HEAD(, nexthop_watch) watches;
};

struct nexthop_watch {
	struct target *target;
	nexthop_changed_fn *changed;
	void *arg;
	bool pending; /* in hops->pending */
	LIST_ENTRY(nexthop_watch) link;
	TAILQ_ENTRY(nexthop_watch) pending_link;
};

void nexthops_mark_dirty(struct target *target);

/* Computes the dirty hops, then calls the watchers of those that changed; what takes longer than
 * some milliseconds goes on in the next turns of the loop. The last thing that a callback of
 * the loop does: a watcher may free any watch and make new ones; with the last watch gone also
 * hops, which stays until the loop has closed its timers.
 */
void nexthops_flush(struct nexthops *hops);

#endif
