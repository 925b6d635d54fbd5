// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/unsent/held.h"

#include <stdlib.h>
#include <string.h>

void held_init(struct held_queue *queue)
{
	queue->n = 0;
	TAILQ_INIT(&queue->all);
}

void held_drop(struct held_queue *queue, struct held *held)
{
	TAILQ_REMOVE(&queue->all, held, link);
	queue->n--;
	free(held);
}

void held_done(struct held_queue *queue)
{
	while (!TAILQ_EMPTY(&queue->all))
		held_drop(queue, TAILQ_FIRST(&queue->all));
}

static bool same_hop(const struct neighbour_key *a, const struct neighbour_key *b)
{
	return a->ifindex == b->ifindex && ip_equal(&a->ip, &b->ip);
}

bool held_add(struct held_queue *queue, const struct held *about, const void *packet)
{
	const struct held *other;
	unsigned of_hop = 0;
	struct held *held;

	for (other = TAILQ_FIRST(&queue->all); other; other = TAILQ_NEXT(other, link))
		of_hop += same_hop(&other->next, &about->next);
	if (queue->n == HELD_MAX || of_hop == HELD_PER_HOP_MAX)
		return false;
	held = malloc(sizeof(*held) + about->length);
	if (!held)
		return false;
	*held = *about;
	memcpy(held->packet, packet, about->length);
	TAILQ_INSERT_TAIL(&queue->all, held, link);
	queue->n++;
	return true;
}

unsigned held_expire(struct held_queue *queue, unsigned long long now_ms)
{
	unsigned n = 0;

	while (!TAILQ_EMPTY(&queue->all) && TAILQ_FIRST(&queue->all)->until_ms <= now_ms) {
		held_drop(queue, TAILQ_FIRST(&queue->all));
		n++;
	}
	return n;
}
