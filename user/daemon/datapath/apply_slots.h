/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The second half of a datapath_apply(): the service's entry and its slots.
 */
#ifndef SLUICE_DAEMON_DATAPATH_APPLY_SLOTS_H
#define SLUICE_DAEMON_DATAPATH_APPLY_SLOTS_H

#include <stddef.h>

struct datapath;
struct installed;
struct plan;

/* One datapath_apply(). */
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
int apply_slots(struct change *change);

#endif
