/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which sources may use the services: the configuration's allow and deny lists in the maps.
 * A service's lists are made and named as its limits are (datapath/limits.h).
 */
#ifndef SLUICE_DAEMON_DATAPATH_ACCESS_H
#define SLUICE_DAEMON_DATAPATH_ACCESS_H

#include <stddef.h>

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

#endif
