/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * What each CPU may do but so often, whatever arrives: make buckets, send
 * refusals, tell the log.
 */
#ifndef SLUICE_PACE_H
#define SLUICE_PACE_H

#include "bpf/maps.h"
#include "sluice/gcra.h"

/* Whether there will be one more soon, without taking it. */
#define pace_is_open(member, now)                                                        \
	({                                                                               \
		__u32 key_ = 0;                                                          \
		struct sl_pace *pace_ = bpf_map_lookup_elem(&sl_paces, &key_);           \
		__u64 unused_;                                                           \
                                                                                         \
		pace_ &&sl_gcra_admit(sl_tuning.member.depth, sl_tuning.member.interval, \
				      pace_->member, now, &unused_);                     \
	})

/* One more, at the pace of sl_tuning's member of the same name? */
#define pace_allows(member, now)                                                         \
	({                                                                               \
		__u32 key_ = 0;                                                          \
		struct sl_pace *pace_ = bpf_map_lookup_elem(&sl_paces, &key_);           \
                                                                                         \
		pace_ &&sl_gcra_admit(sl_tuning.member.depth, sl_tuning.member.interval, \
				      pace_->member, now, &pace_->member);               \
	})

#endif
