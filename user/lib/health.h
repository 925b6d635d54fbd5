/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When a backend counts as up: a run of `rise` good results in a row makes it
 * so, a run of `fall` bad ones ends it. Pure: no clock, no I/O.
 */
#ifndef SLUICE_LIB_HEALTH_H
#define SLUICE_LIB_HEALTH_H

#include <stdbool.h>

/* Start with rise, fall (1 or more) and up set, all else zero. */
struct health {
	unsigned rise;
	unsigned fall;
	bool up;
	bool last_ok; /* the last result; false before the first */
	bool settled; /* a run was once long enough to change `up`, or to confirm it */
	unsigned run; /* results in a row like the last; stops at UINT_MAX; 0: no result yet */
};

/* Takes in one result; true when `up` has changed. */
bool health_step(struct health *health, bool ok);

#endif
