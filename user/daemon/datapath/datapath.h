/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The XDP program and its maps, as the daemon sees them: load or adopt, write
 * the difference, read the counters. The only module (with datapath_*.c) that
 * knows libbpf. Maps are mapped into memory: what is compared with is what the
 * program really reads, and a word is changed by one store.
 */
#ifndef SLUICE_DAEMON_DATAPATH_DATAPATH_H
#define SLUICE_DAEMON_DATAPATH_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/abi.h"
#include "sluice/verdict.h"

struct diag;
struct datapath;
struct ipip_config;
struct plan;

/* How many of each the maps hold; and the seed, which is fixed as they are. */
struct datapath_sizes {
	unsigned services; /* twice as many entries are made */
	unsigned backends;
	unsigned slots;
	unsigned limits;  /* as many more are made, for those that replace others */
	unsigned buckets; /* of sources that are limited */
	unsigned gate;    /* words of 8 bytes */
	unsigned flows;
	unsigned long long hash_seed;
};

/* After how long without a packet a flow counts as ended. */
struct datapath_timeouts {
	unsigned tcp_idle_ms, udp_idle_ms;
};

/* Loads the embedded program with maps that hold `sizes`, pins both in pin_dir
 * (made; bpffs mounted where it is missing). A stale pin is replaced. 0 or
 * -errno and diag.
 */
int datapath_load(const struct datapath_sizes *sizes, const char *pin_dir, struct diag *diag,
		  struct datapath **ret_datapath);

/* Takes over the sluice program that ifindex runs, however it was attached, and
 * its maps; pins them. -ENOENT: there is none.
 * -EPROTO: another version's layout. -ENOSPC: maps too small for sizes.
 */
int datapath_adopt(int ifindex, const struct datapath_sizes *sizes, const char *pin_dir,
		   struct diag *diag, struct datapath **ret_datapath);

/* Whether the maps have room for sizes, and the program their seed. 0; -ENOSPC or -EEXIST
 * (another seed), and diag.
 */
int datapath_fits(const struct datapath *datapath, const struct datapath_sizes *sizes,
		  struct diag *diag);

/* Removes the pins unless keep; what is attached stays attached. Accepts NULL. */
void datapath_free(struct datapath *datapath, bool keep);

/* Makes the maps hold the service that plan describes, writing what differs:
 * new backends first, then slots, then the directory. Slots that move go into
 * transition, so that established connections stay where they are. All or
 * nothing: on error (-ENOSPC) the service is as it was.
 */
int datapath_apply(struct datapath *datapath, const struct plan *plan, struct diag *diag);

/* From now on a service counts as unclaimed until it is applied again; adopted
 * ones do from the start.
 */
void datapath_unclaim(struct datapath *datapath);

/* The service with this key is as it should be, without applying it. */
void datapath_claim(struct datapath *datapath, const struct sl_key *key);

/* Removes every service that is unclaimed. */
void datapath_remove_unclaimed(struct datapath *datapath);

/* SL_BACKEND_* of this backend, as the maps have it: what a predecessor left. 0
 * where it is not in them.
 */
unsigned datapath_backend_state(const struct datapath *datapath, const struct sl_key *service,
				const struct sl_key *backend);

/* Tracked connections of this backend that are live, as the last walk left it and
 * the program has counted since. 0 where it is not in the maps.
 */
unsigned datapath_backend_live(const struct datapath *datapath, const struct sl_key *service,
			       const struct sl_key *backend);

void datapath_set_timeouts(struct datapath *datapath, const struct datapath_timeouts *timeouts);

/* Where the outer packets of ipip come from. */
void datapath_set_ipip(struct datapath *datapath, const struct ipip_config *ipip);

/* The walk over the flow table: takes out what has ended, corrects the counts of
 * live connections, settles slots in transition, and frees what dropped services
 * and backends occupied. One step looks at a bounded number of flows.
 *
 * Whether there is anything to walk for.
 */
bool datapath_walk_needed(const struct datapath *datapath);

/* 1: a round has ended. 0: there is more of it. -errno. */
int datapath_walk_step(struct datapath *datapath);

/* By the clock, once a second: slots of services that have not forwarded a packet
 * yet settle at once. After a start, backends come up one by one.
 */
void datapath_settle_unused(struct datapath *datapath);

struct datapath_flow_stats {
	unsigned long long tracked; /* entries, as of the last round */
	unsigned long long slots_in_transition;
};
struct datapath_flow_stats datapath_flow_stats(const struct datapath *datapath);

/* Routes, neighbours or devices have changed: the program is to ask for the ways to
 * clients anew.
 */
void datapath_forget_routes(struct datapath *datapath);

/* The devices that frames can be sent to: begin, put each, end, which removes
 * those that were not put. -errno: the kernel sends the replies for it.
 */
void datapath_devices_begin(struct datapath *datapath);
int datapath_devices_put(struct datapath *datapath, unsigned ifindex,
			 const struct sl_device *device);
void datapath_devices_end(struct datapath *datapath);

/* Sums over CPUs. -ENOENT when the service (or backend) is not in the maps. */
int datapath_service_stats(const struct datapath *datapath, const struct sl_key *service,
			   struct sl_stats *ret_stats);
int datapath_backend_stats(const struct datapath *datapath, const struct sl_key *service,
			   const struct sl_key *backend, struct sl_stats *ret_stats);
int datapath_verdicts(const struct datapath *datapath,
		      struct sl_count ret_counts[static SL_VERDICT_COUNT]);

#endif
