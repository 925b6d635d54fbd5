/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes the maps hold the services that plans describe, writing the difference.
 */
#ifndef SLUICE_DAEMON_DATAPATH_APPLY_H
#define SLUICE_DAEMON_DATAPATH_APPLY_H

struct datapath;
struct diag;
struct plan;
struct sl_key;

/* Makes the maps hold the service that plan describes: new backends first, then slots, then
 * the directory. Slots that move go into transition, so that established connections stay
 * where they are. All or nothing: on error (-ENOSPC, -ENOMEM, and diag) the service is as it
 * was.
 */
int datapath_apply(struct datapath *datapath, const struct plan *plan, struct diag *diag);

/* From now on every service counts as unclaimed until it is applied again; adopted ones do
 * from the start.
 */
void datapath_unclaim(struct datapath *datapath);

/* The service with this key is as it should be, without applying it. */
void datapath_claim(struct datapath *datapath, const struct sl_key *key);

/* Removes every service that is unclaimed. */
void datapath_remove_unclaimed(struct datapath *datapath);

/* SL_BACKEND_* of this backend, as the maps have it: the state that a predecessor left. 0
 * where it is not in them.
 */
unsigned datapath_backend_state(const struct datapath *datapath, const struct sl_key *service,
				const struct sl_key *backend);

#endif
