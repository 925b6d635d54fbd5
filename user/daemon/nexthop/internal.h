/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What nexthop/nexthops.c (who watches) and nexthop/follow.c (what happens) share; nobody else
 * includes it. A target is an address that is watched.
 *
 * Invariants: a target exists as long as it has watches, and is in exactly one of
 * `routed` and `unrouted`. Once it has been seen, its hop changes in
 * hops_flush() alone.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_INTERNAL_H
#define SLUICE_DAEMON_NEXTHOP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/nexthop/nexthops.h"
#include "daemon/nexthop/path.h"
#include "lib/base/hashtable.h"

TAILQ_HEAD(target_list, target);

struct hops {
	struct uv_loop_s *loop;
	struct hop_sources sources;
	struct hashtable targets;        /* by address */
	struct target_list routed;       /* have had their turn in the last pass */
	struct target_list unrouted;     /* have not */
	struct target_list dirty;        /* their hop is to be computed */
	TAILQ_HEAD(, hop_watch) pending; /* to be called */
	uv_timer_t routes_timer;
	uv_timer_t tend_timer;
	bool routes_due;                 /* a pass is to begin */
	bool routes_failed;              /* in the running pass */
	bool resync_due;                 /* links and neighbours are not what the kernel has */
	uint64_t pass_ns;                /* what the running pass took so far */
	uint64_t rest_end_ms;            /* the next pass does not begin before */
	unsigned n_open;                 /* timers that the loop holds */
	hop_changed_fn *devices_changed; /* NULL: nobody asked */
	void *devices_arg;
	bool heard;             /* any change, since it was told on */
	hop_changed_fn *change; /* NULL: nobody asked */
	void *change_arg;
};

struct target {
	struct hash_node node;
	struct hops *hops;
	struct ip ip;
	struct hop_path path;
	struct hop hop;
	bool unrouted; /* in hops->unrouted, else in hops->routed */
	bool dirty;    /* in hops->dirty */
	TAILQ_ENTRY(target) route_link;
	TAILQ_ENTRY(target) dirty_link;
	LIST_HEAD(, hop_watch) watches;
};

struct hop_watch {
	struct target *target;
	hop_changed_fn *changed;
	void *arg;
	bool pending; /* in hops->pending */
	LIST_ENTRY(hop_watch) link;
	TAILQ_ENTRY(hop_watch) pending_link;
};

/* nexthop/nexthops.c */

void hops_mark_dirty(struct target *target);

/* Computes what is dirty, then calls who watches what has changed. The last thing
 * that a callback of the loop does: a watcher may free any watch and make new
 * ones; with the last watch gone also hops, which stays until the loop has closed
 * its timers.
 */
void hops_flush(struct hops *hops);

/* nexthop/follow.c */

/* Makes the listener that follows the kernel's changes. */
struct netlink_listener hops_listener(struct hops *hops);

/* To be called after a neighbour came into use. */
void hops_set_tend_timer(struct hops *hops);

#endif
