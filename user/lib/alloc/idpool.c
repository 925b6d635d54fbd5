// SPDX-License-Identifier: BSD-2-Clause
#include "lib/alloc/idpool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"

/* Indices below `fresh` have been in use at some time; those of them that are
 * free again are in `given`.
 */
struct idpool {
	unsigned size, fresh, n_used, n_given, n_retired;
	unsigned *given;
	unsigned *retired;
	bool *used;
};

DEFINE_CLEANUP(idpool_free, struct idpool *);

int idpool_new(unsigned size, struct idpool **ret_pool)
{
	_cleanup_(idpool_freep) struct idpool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->size = size;
	pool->fresh = 1;
	pool->given = calloc(size, sizeof(*pool->given));
	pool->retired = calloc(size, sizeof(*pool->retired));
	pool->used = calloc(size, sizeof(*pool->used));
	if (!pool->given || !pool->retired || !pool->used)
		return -ENOMEM;
	*ret_pool = TAKE_PTR(pool);
	return 0;
}

void idpool_free(struct idpool *pool)
{
	if (!pool)
		return;
	free(pool->given);
	free(pool->retired);
	free(pool->used);
	free(pool);
}

static unsigned use(struct idpool *pool, unsigned index)
{
	pool->used[index] = true;
	pool->n_used++;
	return index;
}

unsigned idpool_take(struct idpool *pool)
{
	if (pool->n_given)
		return use(pool, pool->given[--pool->n_given]);
	while (pool->fresh < pool->size) {
		unsigned index = pool->fresh++;

		if (!pool->used[index])
			return use(pool, index);
	}
	return 0;
}

int idpool_claim(struct idpool *pool, unsigned index)
{
	assert(!pool->n_given && pool->fresh == 1);
	if (index < 1 || index >= pool->size)
		return -ERANGE;
	if (pool->used[index])
		return -EBUSY;
	use(pool, index);
	return 0;
}

void idpool_give(struct idpool *pool, unsigned index)
{
	assert(index >= 1 && index < pool->size && pool->used[index]);
	pool->used[index] = false;
	pool->n_used--;
	pool->given[pool->n_given++] = index;
}

void idpool_retire(struct idpool *pool, unsigned index)
{
	assert(index >= 1 && index < pool->size && pool->used[index]);
	pool->retired[pool->n_retired++] = index;
}

void idpool_recycle(struct idpool *pool)
{
	while (pool->n_retired)
		idpool_give(pool, pool->retired[--pool->n_retired]);
}

unsigned idpool_available(const struct idpool *pool)
{
	return pool->size - 1 - pool->n_used + pool->n_retired;
}
