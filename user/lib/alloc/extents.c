// SPDX-License-Identifier: BSD-2-Clause
#include "lib/alloc/extents.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

struct extent {
	unsigned start, length;
	bool retired;
};

/* Sorted by start, none overlapping. No extent before `full` has a gap of
 * `sought` or more in front of it, so that filling an empty array is linear.
 */
struct extents {
	unsigned size;
	size_t n, capacity;
	size_t full;
	unsigned sought;
	struct extent *list;
};

int extents_new(unsigned size, struct extents **ret_extents)
{
	struct extents *extents = calloc(1, sizeof(*extents));

	if (!extents)
		return -ENOMEM;
	extents->size = size;
	*ret_extents = extents;
	return 0;
}

void extents_free(struct extents *extents)
{
	if (!extents)
		return;
	free(extents->list);
	free(extents);
}

static unsigned end_of(const struct extents *extents, size_t i)
{
	return extents->list[i].start + extents->list[i].length;
}

/* The first one that starts at or behind start. */
static size_t find(const struct extents *extents, unsigned start)
{
	size_t low = 0, high = extents->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (extents->list[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(struct extents *extents, size_t at, unsigned start, unsigned length)
{
	if (extents->n == extents->capacity) {
		size_t capacity = extents->capacity ? extents->capacity * 2 : 16;
		struct extent *list = reallocarray(extents->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		extents->list = list;
		extents->capacity = capacity;
	}
	memmove(&extents->list[at + 1], &extents->list[at],
		(extents->n - at) * sizeof(*extents->list));
	extents->list[at] = (struct extent){ .start = start, .length = length };
	extents->n++;
	return 0;
}

int extents_take(struct extents *extents, unsigned length, unsigned *ret_start)
{
	size_t at = extents->sought && length >= extents->sought ? extents->full : 0;
	unsigned start = at ? end_of(extents, at - 1) : 0;
	int error;

	for (; at < extents->n && extents->list[at].start - start < length; at++)
		start = end_of(extents, at);
	if (at == extents->n && extents->size - start < length)
		return -ENOSPC;
	error = insert(extents, at, start, length);
	if (error)
		return error;
	extents->full = at + 1;
	extents->sought = length;
	*ret_start = start;
	return 0;
}

unsigned extents_available(const struct extents *extents, unsigned *ret_longest)
{
	unsigned available = 0, longest = 0, start = 0;

	for (size_t at = 0; at <= extents->n; at++) {
		unsigned end = at < extents->n ? extents->list[at].start : extents->size;

		if (at < extents->n && extents->list[at].retired)
			continue;
		available += end - start;
		longest = end - start > longest ? end - start : longest;
		start = at < extents->n ? end_of(extents, at) : end;
	}
	*ret_longest = longest;
	return available;
}

int extents_claim(struct extents *extents, unsigned start, unsigned length)
{
	size_t at = find(extents, start);

	if (!length || start >= extents->size || extents->size - start < length)
		return -ERANGE;
	if (at < extents->n && extents->list[at].start - start < length)
		return -EBUSY;
	if (at && end_of(extents, at - 1) > start)
		return -EBUSY;
	extents->sought = 0;
	return insert(extents, at, start, length);
}

static struct extent *exact(struct extents *extents, unsigned start)
{
	size_t at = find(extents, start);

	assert(at < extents->n && extents->list[at].start == start);
	return &extents->list[at];
}

void extents_give(struct extents *extents, unsigned start)
{
	struct extent *extent = exact(extents, start);

	memmove(extent, extent + 1,
		(size_t)(&extents->list[extents->n] - (extent + 1)) * sizeof(*extent));
	extents->n--;
	extents->sought = 0;
}

void extents_retire(struct extents *extents, unsigned start)
{
	exact(extents, start)->retired = true;
}

void extents_recycle(struct extents *extents)
{
	size_t kept = 0;

	for (size_t i = 0; i < extents->n; i++)
		if (!extents->list[i].retired)
			extents->list[kept++] = extents->list[i];
	extents->n = kept;
	extents->sought = 0;
}
