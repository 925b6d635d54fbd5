// SPDX-License-Identifier: BSD-2-Clause
#include "responder/visitors.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

struct visitor {
	TAILQ_ENTRY(visitor) link;
	struct sl_addr source; /* without the bits that do not count */
	uint64_t due_ms;
	int fd;
	bool shut; /* among the gone */
};

TAILQ_HEAD(visitor_list, visitor);

struct visitors {
	/* The open ones, the oldest first; those that are shut, and not removed yet;
	 * unused ones.
	 */
	struct visitor_list open, gone, unused;
	unsigned n_open, n_gone;
	struct visitor places[VISITORS_MAX];
};

struct visitors *visitors_new(void)
{
	struct visitors *visitors = calloc(1, sizeof(*visitors));

	if (!visitors)
		return NULL;
	TAILQ_INIT(&visitors->open);
	TAILQ_INIT(&visitors->gone);
	TAILQ_INIT(&visitors->unused);
	for (size_t i = 0; i < VISITORS_MAX; i++)
		TAILQ_INSERT_TAIL(&visitors->unused, &visitors->places[i], link);
	return visitors;
}

void visitors_free(struct visitors *visitors)
{
	free(visitors);
}

static struct sl_addr source_of(const struct ip *client)
{
	struct sl_addr source = client->addr;

	if (client->family == SL_FAMILY_IPV6)
		source.halves[1] = 0;
	return source;
}

bool visitors_admit(const struct visitors *visitors, const struct ip *client)
{
	struct sl_addr source = source_of(client);
	const struct visitor *visitor;
	unsigned n = 0;

	TAILQ_FOREACH(visitor, &visitors->open, link)
	n += visitor->source.halves[0] == source.halves[0] &&
	     visitor->source.halves[1] == source.halves[1];
	return n < VISITORS_PER_SOURCE;
}

struct visitor *visitors_add(struct visitors *visitors, const struct ip *client, int fd,
			     uint64_t now_ms)
{
	struct visitor *visitor = TAILQ_FIRST(&visitors->unused);

	if (!visitor)
		return NULL;
	TAILQ_REMOVE(&visitors->unused, visitor, link);
	visitor->source = source_of(client);
	visitor->due_ms = now_ms + VISITOR_MS;
	visitor->fd = fd;
	visitor->shut = false;
	TAILQ_INSERT_TAIL(&visitors->open, visitor, link);
	visitors->n_open++;
	return visitor;
}

void visitors_remove(struct visitors *visitors, struct visitor *visitor)
{
	if (!visitor)
		return;
	if (visitor->shut) {
		TAILQ_REMOVE(&visitors->gone, visitor, link);
		visitors->n_gone--;
	} else {
		TAILQ_REMOVE(&visitors->open, visitor, link);
		visitors->n_open--;
	}
	TAILQ_INSERT_TAIL(&visitors->unused, visitor, link);
}

/* The end of its stream makes libmicrohttpd close it. */
static void shut(struct visitors *visitors, struct visitor *visitor)
{
	(void)shutdown(visitor->fd, SHUT_RDWR);
	visitor->shut = true;
	TAILQ_REMOVE(&visitors->open, visitor, link);
	TAILQ_INSERT_TAIL(&visitors->gone, visitor, link);
	visitors->n_open--;
	visitors->n_gone++;
}

int visitors_expire(struct visitors *visitors, uint64_t now_ms)
{
	struct visitor *oldest;

	while ((oldest = TAILQ_FIRST(&visitors->open)) &&
	       (oldest->due_ms <= now_ms || visitors->n_open > VISITORS_CROWDED))
		shut(visitors, oldest);
	return oldest ? (int)(oldest->due_ms - now_ms) : -1;
}

unsigned visitors_count(const struct visitors *visitors)
{
	return visitors->n_open + visitors->n_gone;
}
