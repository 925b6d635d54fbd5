/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits in the maps. They belong to a service as it is configured, and its addresses share
 * them: they are made first, then named in the plan of each address (datapath_apply()), and
 * free when no address names them.
 */
#ifndef SLUICE_DAEMON_DATAPATH_LIMITS_H
#define SLUICE_DAEMON_DATAPATH_LIMITS_H

#include <stddef.h>

#include "lib/config/config.h"

struct datapath;
struct diag;

/* The rates of sl_tuning; the gate's seed is made when the program is loaded. */
void datapath_set_limiter(struct datapath *datapath, const struct limiter_config *limiter);

/* Makes the service's limits be in the maps: *ret_first is the index of the first
 * one, 0 without limits. `keys` are the service's addresses: the new limits replace those
 * that they name now; a bucket owes as many units to the new rate as it did to the old. -ENOSPC, -ENOMEM: diag.
 */
int datapath_put_limits(struct datapath *datapath, const struct service_config *service,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_first);

/* The index of the first of the service's limits as it runs; 0: none. */
unsigned datapath_limits(const struct datapath *datapath, const struct sl_key *key);

#endif
