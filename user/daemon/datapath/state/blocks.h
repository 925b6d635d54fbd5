/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The limits of a service are a block of sl_limits, which every entry of the service names.
 * A block is not written again once an entry names it: changed limits are a new block. A
 * limit's number is the same through all generations of the limit: its counters, its exempt
 * prefixes, and its sources' places in the gate go by it. What a source owes goes by the
 * generation's id.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_BLOCKS_H
#define SLUICE_DAEMON_DATAPATH_STATE_BLOCKS_H

#include <stdbool.h>

struct block;
struct extents;
struct grace;
struct idpool;
struct lists;
struct maps;
struct sl_bucket;
struct sl_limit;
struct sl_service;

struct blocks {
	struct maps *maps;
	struct lists *lists; /* of exempt prefixes */
	struct grace *grace;
	struct extents *ranges; /* of sl_limits */
	struct idpool *numbers;
	struct block *block;    /* by first index */
	unsigned *number_users; /* blocks that have the number */
	unsigned unnamed;       /* a block that no entry has named yet; 0: none */
};

/* maps, lists and grace are borrowed. 0 or -ENOMEM; blocks_done() frees, also after a
 * failure.
 */
int blocks_init(struct blocks *blocks, struct maps *maps, struct lists *lists, struct grace *grace);
void blocks_done(struct blocks *blocks);

/* How many limits the block has that begins at this index; 0: none begins there. */
unsigned blocks_length(const struct blocks *blocks, unsigned first);

/* A number for a new limit, with counters at zero; 0: none is left. blocks_give_number() takes
 * it back before a block has it.
 */
unsigned blocks_take_number(struct blocks *blocks);
void blocks_give_number(struct blocks *blocks, unsigned number);

/* The id that the next generation of a limit gets; blocks_take_id() takes it. No id is given
 * twice in the life of the maps.
 */
unsigned blocks_next_id(const struct blocks *blocks);
unsigned blocks_take_id(struct blocks *blocks);

/* A new block, which an entry is to name; n is at least 1. totals: the buckets of limits per
 * service. 0, -ENOSPC or -ENOMEM.
 */
int blocks_write(struct blocks *blocks, const struct sl_limit *limits,
		 const struct sl_bucket *totals, unsigned n, unsigned *ret_first);

/* Retires the block that was written for a change that failed. */
void blocks_drop_unnamed(struct blocks *blocks);

/* An entry of a service begins, or ends, to lead to a block. */
void blocks_use(struct blocks *blocks, const struct sl_service *entry);
void blocks_release(struct blocks *blocks, const struct sl_service *entry);

/* While adopting maps: marks the block that this entry names as used. 0; -EPROTO: there is no
 * such block, and nothing is marked.
 */
int blocks_learn(struct blocks *blocks, const struct sl_service *entry);

/* Whether a limit of some block has this number. */
bool blocks_have_number(const struct blocks *blocks, unsigned number);

#endif
