/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A limit takes the place of another while its sources send: they go on owing what they
 * owe. Pure.
 */
#ifndef SLUICE_LIB_LIMIT_INHERIT_H
#define SLUICE_LIB_LIMIT_INHERIT_H

#include <stdbool.h>

#include "sluice/abi.h"

/* Whether b can go on where a was: both count a source's debt in the same units. */
bool limit_same_kind(const struct sl_limit *a, const struct sl_limit *b);

/* `limit` goes on from `old`, which is of its kind: it gets the number, and the id
 * too where the state of old's buckets is as true of it. Else it gets new_id, and where
 * the algorithm can convert them, what the program needs for that. `now` is an
 * SL_SECOND. Returns whether new_id is taken.
 */
bool limit_inherit(const struct sl_limit *old, unsigned new_id, unsigned now,
		   struct sl_limit *limit);

/* Makes the bucket of the generation that `limit` replaces a bucket of `limit`, as the
 * program does when it next sees the source; `now` in ticks.
 */
void limit_inherit_bucket(const struct sl_limit *limit, struct sl_bucket *bucket,
			  unsigned long long now);

/* The one bucket of a limit per service, after `limit` has taken the place of `old`;
 * `now` in ticks.
 */
struct sl_bucket limit_inherit_total(const struct sl_limit *old, const struct sl_limit *limit,
				     const struct sl_bucket *total, unsigned long long now);

#endif
