/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A limit that takes the place of another while its sources send: what they owe
 * goes on. Pure.
 */
#ifndef SLUICE_LIB_LIMIT_INHERIT_H
#define SLUICE_LIB_LIMIT_INHERIT_H

#include <stdbool.h>

#include "sluice/abi.h"

/* Whether b can go on where a was: what a source owes is told in the same units. */
bool limit_same_kind(const struct sl_limit *a, const struct sl_limit *b);

/* `limit` goes on from `old`, which is of its kind: it gets the number, and the id
 * too where what old's buckets say is as true of it. Else it gets new_id, and for a
 * token bucket what the program needs to convert them. `now` is an SL_SECOND.
 * Returns whether new_id is taken.
 */
bool limit_inherit(const struct sl_limit *old, unsigned new_id, unsigned now,
		   struct sl_limit *limit);

/* What the one bucket of a limit per service becomes thereby; `now` in ticks. */
struct sl_bucket limit_inherit_total(const struct sl_limit *old, const struct sl_limit *limit,
				     const struct sl_bucket *total, unsigned long long now);

#endif
