/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The second half of a datapath_apply(): the service's entry and its slots.
 */
#ifndef SLUICE_DAEMON_DATAPATH_APPLY_SLOTS_H
#define SLUICE_DAEMON_DATAPATH_APPLY_SLOTS_H

#include <linux/types.h>
#include <stddef.h>

struct datapath;
struct installed;
struct plan;

/* One datapath_apply(). */
struct change {
	struct datapath *datapath;
	const struct plan *plan;
	struct installed *installed; /* NULL: the maps do not hold the service yet */
	size_t n_before;             /* backends that installed had */
	__u32 *states_before;        /* of these */
	size_t *places;              /* of plan->backends: in installed->backends, or CHANGE_NEW */
	unsigned *indices;           /* of plan->backends: in sl_backends */
};

#define CHANGE_NEW ((size_t)-1)

/* Makes the service's entry and slots what the plan says; the backends are there
 * already, and say whether they serve. 0, -ENOSPC or -ENOMEM.
 */
int apply_slots(struct change *change);

#endif
