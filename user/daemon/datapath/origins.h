/* SPDX-License-Identifier: BSD-2-Clause
 *
 * nat: where packets of a backend may come in, and where some came in that may not.
 */
#ifndef SLUICE_DAEMON_DATAPATH_ORIGINS_H
#define SLUICE_DAEMON_DATAPATH_ORIGINS_H

#include <stdbool.h>

#include "sluice/abi.h"

struct datapath;

/* Writes a backend's origins while packets run. wanted: SL_ORIGINS of them, or NULL: none. */
void origins_put(struct sl_origins *origins, const struct sl_origin *wanted);

struct datapath_foreign {
	unsigned ifindex;
	unsigned vlan;    /* 0: untagged */
	unsigned seconds; /* ago */
};

/* Whether a packet with the backend's address has come in where none may; if so, where the last
 * one did.
 */
bool datapath_foreign(const struct datapath *datapath, const struct sl_key *service,
		      const struct sl_key *backend, struct datapath_foreign *ret_foreign);

#endif
