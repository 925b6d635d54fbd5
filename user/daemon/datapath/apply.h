/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes the maps hold the services that plans describe, writing the difference.
 */
#ifndef SLUICE_DAEMON_DATAPATH_APPLY_H
#define SLUICE_DAEMON_DATAPATH_APPLY_H

#include <stdbool.h>

#include "sluice/forwarding.h"
#include "sluice/scheduler.h"

struct datapath;
struct diag;
struct plan;
struct sl_key;

/* Makes the maps hold the service that plan describes: new backends first, then slots, then
 * the directory. Slots that move go into transition, so that established connections stay
 * where they are. All or nothing: on error (-ENOMEM; -ENOSPC where the maps have no room at
 * this moment; and diag) the service is as it was.
 */
int datapath_apply(struct datapath *datapath, const struct plan *plan, struct diag *diag);

/* How many more backends the maps can take now. */
unsigned datapath_backend_room(const struct datapath *datapath);

/* Whether indices are waiting for the walk, after which there is more room. */
bool datapath_gains_room(const struct datapath *datapath);

/* Whether the service has this backend in the maps, reached in this way. */
bool datapath_has_backend(const struct datapath *datapath, const struct sl_key *service,
			  const struct sl_key *backend, enum sl_forward forward);

/* What scheduler the service has in the maps, and a table of how many slots. False: it is not in
 * them.
 */
bool datapath_shape(const struct datapath *datapath, const struct sl_key *service,
		    enum sl_scheduler *ret_scheduler, unsigned *ret_table_size);

/* From now on every service counts as unclaimed until it is applied again; adopted ones do
 * from the start.
 */
void datapath_unclaim(struct datapath *datapath);

/* The service with this key is as it should be, without applying it. */
void datapath_claim(struct datapath *datapath, const struct sl_key *key);

/* Removes every service that is unclaimed. */
void datapath_remove_unclaimed(struct datapath *datapath);

/* How many services the maps hold: adopted maps, those of the daemon before. */
unsigned long datapath_count_services(const struct datapath *datapath);

/* SL_BACKEND_* of this backend, as the maps have it: the state that a predecessor left. 0
 * where it is not in them.
 */
unsigned datapath_backend_state(const struct datapath *datapath, const struct sl_key *service,
				const struct sl_key *backend);

#endif
