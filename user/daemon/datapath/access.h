/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who may use the services: allow and deny lists in the maps, and what is denied at
 * run time. A service's lists are made and named as its limits are
 * (datapath/limits.h).
 */
#ifndef SLUICE_DAEMON_DATAPATH_ACCESS_H
#define SLUICE_DAEMON_DATAPATH_ACCESS_H

#include <stddef.h>

#include "lib/base/prefix.h"
#include "sluice/abi.h"

struct access_config;
struct datapath;
struct diag;

/* Makes the service's allow and deny lists be in the maps: *ret_list is an
 * SL_LIST_*, 0 where both are empty. `keys` are the service's addresses: the list
 * that they name now is changed in its place. -ENOSPC, -ENOMEM: diag.
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
