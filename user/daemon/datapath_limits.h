/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits and access lists in the maps. Both belong to a service as it is
 * configured, whatever number of addresses it has: made first, then named in the
 * plan of each address (datapath_apply()), and free when no address names them.
 */
#ifndef SLUICE_DATAPATH_LIMITS_H
#define SLUICE_DATAPATH_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config.h"

struct datapath;
struct diag;

/* The rates of sl_tuning; the gate's seed is made when the program is loaded. */
void datapath_set_limiter(struct datapath *datapath, const struct limiter_config *limiter);

/* Makes the service's limits be in the maps: *ret_first is the index of the first
 * one, 0 without limits. `keys` are the service's addresses: what they name now is
 * what the new ones replace; a bucket owes as many units to the new rate as it
 * did to the old. -ENOSPC, -ENOMEM: diag.
 */
int datapath_put_limits(struct datapath *datapath, const struct service_config *service,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_first);

/* The index of the first of the service's limits as it runs; 0: none. */
unsigned datapath_limits(const struct datapath *datapath, const struct sl_key *key);

/* The same for its allow and deny lists: *ret_list is an SL_LIST_*, 0 where both
 * are empty.
 */
int datapath_put_access(struct datapath *datapath, const struct access_config *access,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_list);

/* Those of all services. */
int datapath_put_access_all(struct datapath *datapath, const struct access_config *access,
			    struct diag *diag);

/* ---- what the operator denies at run time ---------------------------------- */

/* seconds: until it is lifted; 0: never. Adding what is there changes its time. */
int datapath_deny(struct datapath *datapath, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag);

/* -ENOENT: is not denied at run time. */
int datapath_undeny(struct datapath *datapath, const struct prefix *prefix);

struct denied {
	struct prefix prefix;
	unsigned seconds; /* left; 0: for ever */
};

/* *ret_denied is the caller's to free; sorted by prefix_compare(). 0 or -ENOMEM. */
int datapath_denied(const struct datapath *datapath, struct denied **ret_denied, size_t *ret_n);

/* By the clock, once a second: lifts what has run out. */
void datapath_access_tick(struct datapath *datapath);

#endif
