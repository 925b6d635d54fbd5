/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A service is found by the directory, leads to its slots and limits, and is counted.
 */
#ifndef SLUICE_SHARED_ABI_SERVICE_H
#define SLUICE_SHARED_ABI_SERVICE_H

#include <linux/types.h>

#include "sluice/abi/address.h"
#include "sluice/scheduler.h"

/* A directory leads from a key to an entry: open addressing, linear probing. A word (64 bits)
 * of the map sl_directory (or sl_return_dir) is an index into sl_services (sl_returns), or one
 * of these two. Index 0 is never used. The writer keeps every key within SL_DIRECTORY_PROBES
 * words of the place that its hash points at.
 */
#define SL_DIRECTORY_EMPTY   0
#define SL_DIRECTORY_REMOVED 0xffffffffU /* probing goes on */
#define SL_DIRECTORY_PROBES  16

/* sl_service.flags */
#define SL_SERVICE_TRACKED 1 /* every flow has an entry in the flow table, whatever its slot */
#define SL_SERVICE_REJECT  2 /* where no backend can serve, packets are refused, not dropped */

/* The largest number of replaced tables, one behind the other, that lead older connections on.
 */
#define SL_REPLACED_MAX 4

/* Marks sl_service.affinity_id as that of several services; no sl_service.id has this bit. */
#define SL_AFFINITY_GROUP (1U << 28)

/* A service; one cache line. An entry is immutable once the directory leads to it. */
struct sl_service {
	struct sl_key key;
	__u32 id; /* index into sl_service_stat and sl_cursors, part of the keys of buckets and flows; stays the same when another entry replaces this one
		   */
	__u32 table;            /* first slot in sl_slots */
	__u32 table_size;       /* slots; never 0; a prime where flows are hashed to them */
	__u8 scheduler;         /* enum sl_scheduler */
	__u8 flags;             /* SL_SERVICE_* */
	__u8 affinity_prefix;   /* clients that share this many bits are pinned as one */
	__u8 n_limits;          /* 0 to SL_LIMITS_MAX */
	__u32 limits;           /* the first one in sl_limits; the others follow it */
	__u32 access;           /* SL_LIST_*, the service's own list; 0: it has none */
	__u32 responder;        /* index into sl_backends; SL_NO_BACKEND: it has none */
	__u32 affinity_id;      /* part of the keys of pins: the id, or SL_AFFINITY_GROUP and the
				 * number of a group
				 */
	__u32 affinity_timeout; /* SL_SECONDs; 0: no affinity */
	/* Index of the entry that this one has replaced (SL_REPLACED_MAX), with another table
	 * or another scheduler, while older connections may still go by it; 0: none.
	 */
	__u32 replaced;
};
_Static_assert(sizeof(struct sl_service) == 64, "a service is one cache line");

/* Counters of a service or a backend; per CPU, one cache line. */
struct sl_stats {
	__u64 packets;         /* from clients, forwarded */
	__u64 bytes;           /* of whole frames, as they arrived */
	__u64 connections;     /* TCP SYNs forwarded; UDP has no such mark */
	__u64 dropped_packets; /* of a backend: those that could not be sent to it */
	__u64 dropped_bytes;
	__u64 reply_packets; /* nat: from backends, forwarded to clients */
	__u64 reply_bytes;
	__u64 refused_packets; /* answered with a reset or an ICMP message */
};
_Static_assert(sizeof(struct sl_stats) == 64, "counters are one cache line");

#endif
