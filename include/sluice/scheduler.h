/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of schedulers: how a new connection gets its backend. A row holds the name, the
 * configuration's word, and the properties of struct sl_scheduler_properties that are not 0.
 * The enum, the words and all rules that depend on a property expand from this list; the
 * choice of a backend is a case in bpf/schedule.h. The order is that of the numbers in
 * sl_service.scheduler, which running programs know: a new scheduler comes last.
 */
#ifndef SLUICE_SHARED_SCHEDULER_H
#define SLUICE_SHARED_SCHEDULER_H

#include <linux/types.h>

#include "sluice/inline.h"

/* How the daemon fills a service's table of slots. */
enum sl_table {
	SL_TABLE_MAGLEV, /* each backend has a share of the slots by its weight; hashed to */
	SL_TABLE_TURNS,  /* one cycle of turns by weight, in order */
	SL_TABLE_LIST,   /* each backend once */
};

struct sl_scheduler_properties {
	enum sl_table table;
	__u32 by_source; /* flows are hashed by the client's address alone, without its port */
	__u32 tracks;    /* every flow has an entry in the flow table; slots have no `previous` */
};

#define SL_SCHEDULERS(X)                                                               \
	X(MAGLEV, "maglev", .table = SL_TABLE_MAGLEV)                                  \
	X(SOURCE_HASH, "source-hash", .table = SL_TABLE_MAGLEV, .by_source = 1)        \
	X(ROUND_ROBIN, "round-robin", .table = SL_TABLE_TURNS, .tracks = 1)            \
	X(LEAST_CONNECTIONS, "least-connections", .table = SL_TABLE_LIST, .tracks = 1) \
	X(RANDOM, "random", .table = SL_TABLE_MAGLEV, .tracks = 1)

#define SL_SCHEDULER_ENUM(name, word, ...) SL_SCHEDULER_##name,
enum sl_scheduler { SL_SCHEDULERS(SL_SCHEDULER_ENUM) };
#undef SL_SCHEDULER_ENUM

/* A value that is no scheduler's has no properties. */
static SL_ALWAYS_INLINE struct sl_scheduler_properties
sl_scheduler_properties(enum sl_scheduler scheduler)
{
#define SL_SCHEDULER_CASE(name, word, ...) \
	case SL_SCHEDULER_##name:          \
		return (struct sl_scheduler_properties){ __VA_ARGS__ };
	switch (scheduler) {
		SL_SCHEDULERS(SL_SCHEDULER_CASE)
	}
#undef SL_SCHEDULER_CASE
	return (struct sl_scheduler_properties){};
}

static inline enum sl_table sl_scheduler_table(enum sl_scheduler scheduler)
{
	return sl_scheduler_properties(scheduler).table;
}

static inline int sl_scheduler_by_source(enum sl_scheduler scheduler)
{
	return sl_scheduler_properties(scheduler).by_source;
}

static inline int sl_scheduler_tracks(enum sl_scheduler scheduler)
{
	return sl_scheduler_properties(scheduler).tracks;
}

#endif
