/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A limit is counted in buckets and by the gate; a source that goes over it is an event.
 */
#ifndef SLUICE_SHARED_ABI_LIMIT_H
#define SLUICE_SHARED_ABI_LIMIT_H

#include <linux/types.h>

#include "sluice/abi/address.h"
#include "sluice/algorithm.h"

/* A rate in the terms of GCRA (include/sluice/gcra.h); ticks of 1/256 ns. */
struct sl_rate {
	__u64 interval; /* ticks per unit; 0: none may pass */
	__u64 depth;    /* ticks that a full bucket holds: burst * interval */
};

enum sl_limit_count { SL_COUNT_PACKETS, SL_COUNT_BYTES, SL_COUNT_CONNECTIONS };
enum sl_limit_action { SL_ACTION_DROP, SL_ACTION_REJECT, SL_ACTION_RESPOND };

/* sl_limit.flags */
#define SL_LIMIT_DRY_RUN          1 /* the limit counts, and refuses no packet */
#define SL_LIMIT_PER_SERVICE      2 /* one bucket for all sources, in sl_totals */
#define SL_LIMIT_EXEMPT           4 /* its list SL_LIST_EXEMPT has something in it */
#define SL_LIMIT_PRESSURE_REFUSES 8 /* under pressure: sources without a bucket are refused */

/* The largest number of limits of one service. */
#define SL_LIMITS_MAX 4

/* A limit; one cache line. An entry is immutable once a service leads to it: a changed limit
 * is another entry, which knows the one that it replaces.
 */
struct sl_limit {
	/* token-bucket: its rate. The windows: interval is a window's length in ticks,
	 * depth the units that it admits.
	 */
	struct sl_rate rate;
	__u64 gate_depth;     /* ticks that the gate admits ahead; a share of depth */
	__u64 gate_cap;       /* ticks beyond which the gate is not charged any more */
	__u32 id;             /* part of its buckets' keys: the generation */
	__u32 number;         /* of the limit through all generations: index into sl_limit_stat */
	__u32 replaced;       /* id of the generation before; 0: none */
	__u32 replaced_until; /* SL_SECONDs: from then on no source owes it anything */
	__u64 replaced_interval; /* its ticks per unit, at least 1 */
	__u8 shift;              /* rate.interval is in units of 2^-shift ticks */
	__u8 count;              /* enum sl_limit_count: the unit */
	__u8 algorithm;          /* enum sl_limit_algorithm */
	__u8 action;             /* enum sl_limit_action */
	__u8 flags;              /* SL_LIMIT_* */
	__u8 prefix_v4;          /* bits of a source's address that share a bucket: 1 to 32 */
	__u8 prefix_v6;          /* 1 to 128 */
	__u8 pad;
};
_Static_assert(sizeof(struct sl_limit) == 64, "a limit is one cache line");

/* The number of parts in which a sliding window is counted. */
#define SL_WINDOW_PARTS 8

/* The account of one source; in sl_buckets, and (per: service) in sl_totals by the limit's
 * index. The program writes.
 */
struct sl_bucket {
	__u64 refused; /* packets, since `over` */
	__u32 over;    /* SL_SECOND of the first refusal; 0: none yet */
	__u32 last;    /* SL_SECOND of the last refusal */
	/* token-bucket: state[0], the theoretical arrival time. Windows: see
	 * include/sluice/window.h.
	 */
	__u64 state[SL_WINDOW_PARTS + 1];
};
_Static_assert(sizeof(struct sl_bucket) == 88, "sl_bucket has no holes");

/* A source that was not refused for this long is within its limit again; its next refusal
 * begins a new count.
 */
#define SL_LIMIT_CALM 10 /* SL_SECONDs */

/* A line of the gate: cells that sources share, each a theoretical arrival time. The tag of a
 * source that has a cell of the line is there (0: none) when its bucket was found lately.
 * While no more buckets may be made, the bucket of a source without a tag is not looked for.
 */
#define SL_GATE_CELLS 6
#define SL_GATE_TAGS  8
struct sl_gate_line {
	__u64 cells[SL_GATE_CELLS];
	union {
		__u16 tags[SL_GATE_TAGS];
		__u64 tag_words[2];
	};
};
_Static_assert(sizeof(struct sl_gate_line) == 64, "a line of the gate is one cache line");

/* Counters of a limit, by its number; per CPU, one cache line. In packets. */
struct sl_limit_stats {
	__u64 gate;     /* admitted by the gate */
	__u64 bucket;   /* admitted by a bucket */
	__u64 pressure; /* too many new buckets: decided as under_pressure says */
	__u64 exempt;   /* over, but exempt */
	__u64 refused;  /* over the limit; with dry_run: would have been refused */
	__u64 answered; /* of those: rejected, or given to the responder */
	__u64 inserted; /* buckets made */
	__u64 unheard;  /* events for which there was no room */
};
_Static_assert(sizeof(struct sl_limit_stats) == 64, "counters are one cache line");

/* The state of one CPU. */
struct sl_pace {
	/* Theoretical arrival times of the work that sl_tuning caps. */
	__u64 inserts, refusals, events, hops, unsent;
	struct sl_bucket fresh; /* a bucket that is being made: too large for the program's stack */
};

/* An entry of the ring sl_events: a source is over its limit from now on. */
struct sl_event {
	struct sl_source source; /* id: sl_limit.id */
	__u32 limit;             /* index into sl_limits */
	__u32 service;           /* sl_service.id */
};
_Static_assert(sizeof(struct sl_event) == 32, "sl_event has no holes");

#endif
