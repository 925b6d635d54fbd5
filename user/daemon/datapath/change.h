/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One datapath_apply(), for datapath/apply_backends.c (the backends) and datapath/apply_slots.c (the
 * service and its slots) alone.
 */
#ifndef SLUICE_DAEMON_DATAPATH_CHANGE_H
#define SLUICE_DAEMON_DATAPATH_CHANGE_H

#include "daemon/datapath/internal.h"
#include "lib/balance/plan.h"

struct change {
	struct datapath *datapath;
	const struct plan *plan;
	struct installed *installed;
	size_t n_before;   /* backends that installed had */
	unsigned *indices; /* in sl_backends, of plan->backends */
};

/* Makes the service's entry and slots what the plan says; the backends are there
 * already, and say whether they serve. 0, -ENOSPC or -ENOMEM.
 */
int change_apply_service(struct change *change);

#endif
