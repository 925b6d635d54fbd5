// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/blocks.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/program/maps.h"
#include "daemon/datapath/state/counters.h"
#include "daemon/datapath/state/grace.h"
#include "daemon/datapath/state/lists.h"
#include "lib/alloc/extents.h"
#include "lib/alloc/idpool.h"
#include "lib/config/config.h"

struct block {
	unsigned users; /* entries that name it */
	unsigned n;     /* limits; 0: no block begins here */
};

static unsigned capacity(const struct blocks *blocks)
{
	return blocks->maps->map[MAP_LIMITS].entries;
}

static unsigned n_numbers(const struct blocks *blocks)
{
	return blocks->maps->map[MAP_LIMIT_STAT].entries;
}

int blocks_init(struct blocks *blocks, struct maps *maps, struct lists *lists, struct grace *grace)
{
	unsigned first;

	*blocks = (struct blocks){ .maps = maps, .lists = lists, .grace = grace };
	if (extents_new(capacity(blocks), &blocks->ranges) ||
	    idpool_new(n_numbers(blocks), &blocks->numbers))
		return -ENOMEM;
	grace_watch_ranges(grace, blocks->ranges);
	grace_watch_pool(grace, blocks->numbers);
	blocks->block = calloc(capacity(blocks), sizeof(*blocks->block));
	blocks->number_users = calloc(n_numbers(blocks), sizeof(*blocks->number_users));
	/* Index 0 means none. */
	return blocks->block && blocks->number_users ? extents_take(blocks->ranges, 1, &first)
						     : -ENOMEM;
}

void blocks_done(struct blocks *blocks)
{
	extents_free(blocks->ranges);
	idpool_free(blocks->numbers);
	free(blocks->block);
	free(blocks->number_users);
}

unsigned blocks_length(const struct blocks *blocks, unsigned first)
{
	return blocks->block[first].n;
}

/* ---- making one ---------------------------------------------------------------- */

unsigned blocks_take_number(struct blocks *blocks)
{
	unsigned number = grace_take(blocks->grace, blocks->numbers);

	if (number)
		counters_reset(&blocks->maps->map[MAP_LIMIT_STAT], number);
	return number;
}

void blocks_give_number(struct blocks *blocks, unsigned number)
{
	idpool_give(blocks->numbers, number);
}

unsigned blocks_next_id(const struct blocks *blocks)
{
	return blocks->maps->tuning->limit_id + 1;
}

unsigned blocks_take_id(struct blocks *blocks)
{
	return ++blocks->maps->tuning->limit_id;
}

static int take_range(struct blocks *blocks, unsigned n, unsigned *ret_first)
{
	int error = extents_take(blocks->ranges, n, ret_first);

	if (error)
		error = grace_wait(blocks->grace) ?: extents_take(blocks->ranges, n, ret_first);
	return error;
}

int blocks_write(struct blocks *blocks, const struct sl_limit *limits,
		 const struct sl_bucket *totals, unsigned n, unsigned *ret_first)
{
	unsigned first;
	int error = take_range(blocks, n, &first);

	if (error)
		return error;
	for (unsigned i = 0; i < n; i++) {
		blocks->maps->limits[first + i] = limits[i];
		blocks->maps->totals[first + i] = totals[i];
		blocks->number_users[limits[i].number]++;
	}
	blocks->block[first] = (struct block){ .n = n };
	blocks->unnamed = first;
	*ret_first = first;
	return 0;
}

/* ---- which entries name a block ------------------------------------------------- */

static void drop_number(struct blocks *blocks, unsigned number)
{
	static const struct prefix_list none;

	if (--blocks->number_users[number])
		return;
	(void)lists_write_exempt(blocks->lists, number, &none);
	idpool_retire(blocks->numbers, number);
}

static void drop(struct blocks *blocks, unsigned first)
{
	struct block *block = &blocks->block[first];

	for (unsigned i = 0; i < block->n; i++)
		drop_number(blocks, blocks->maps->limits[first + i].number);
	block->n = 0;
	extents_retire(blocks->ranges, first);
}

void blocks_drop_unnamed(struct blocks *blocks)
{
	if (blocks->unnamed)
		drop(blocks, blocks->unnamed);
	blocks->unnamed = 0;
}

void blocks_use(struct blocks *blocks, const struct sl_service *entry)
{
	if (!entry->limits)
		return;
	blocks->block[entry->limits].users++;
	if (blocks->unnamed == entry->limits)
		blocks->unnamed = 0;
}

void blocks_release(struct blocks *blocks, const struct sl_service *entry)
{
	if (entry->limits && !--blocks->block[entry->limits].users)
		drop(blocks, entry->limits);
}

/* Whether the limits in this range bear numbers that there are. */
static bool has_numbers(const struct blocks *blocks, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned number = blocks->maps->limits[first + i].number;

		if (!number || number >= n_numbers(blocks))
			return false;
	}
	return true;
}

static int learn_block(struct blocks *blocks, unsigned first, unsigned n)
{
	if (n > SL_LIMITS_MAX || first >= capacity(blocks) || capacity(blocks) - first < n ||
	    !has_numbers(blocks, first, n) || extents_claim(blocks->ranges, first, n))
		return -EPROTO;
	blocks->block[first].n = n;
	for (unsigned i = 0; i < n; i++) {
		unsigned number = blocks->maps->limits[first + i].number;

		if (!blocks->number_users[number]++)
			(void)idpool_claim(blocks->numbers, number);
	}
	return 0;
}

int blocks_learn(struct blocks *blocks, const struct sl_service *entry)
{
	int error = 0;

	if (!entry->limits)
		return 0;
	if (entry->limits >= capacity(blocks))
		return -EPROTO;
	if (!blocks->block[entry->limits].n)
		error = learn_block(blocks, entry->limits, entry->n_limits);
	else if (blocks->block[entry->limits].n != entry->n_limits)
		error = -EPROTO;
	if (!error)
		blocks->block[entry->limits].users++;
	return error;
}

bool blocks_have_number(const struct blocks *blocks, unsigned number)
{
	return number < n_numbers(blocks) && blocks->number_users[number];
}
