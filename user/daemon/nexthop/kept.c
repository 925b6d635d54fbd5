// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/kept.h"

#include <stdlib.h>

#include "daemon/nexthop/neighbours.h"

struct kept {
	struct hash_node node;
	struct kept_set *set;
	struct neighbour_key key;
	struct neighbour_user user;
	uint64_t until;
	TAILQ_ENTRY(kept) link;
};

static void on_changed(struct neighbour_user *user)
{
	struct kept *kept = user->owner;

	kept->set->changed = true;
}

static uint64_t key_hash(const struct neighbour_key *key)
{
	return hash_bytes(key->ip.addr.bytes, sizeof(key->ip.addr.bytes),
			  (uint64_t)key->ifindex << 8 | key->ip.family);
}

static bool kept_equal(const struct hash_node *node, const void *arg)
{
	const struct kept *kept = HASH_ENTRY(node, struct kept, node);
	const struct neighbour_key *key = arg;

	return kept->key.ifindex == key->ifindex && ip_equal(&kept->key.ip, &key->ip);
}

static struct kept *find(const struct kept_set *set, const struct neighbour_key *key)
{
	struct hash_node *node = hashtable_find(&set->by_key, key_hash(key), key, kept_equal);

	return node ? HASH_ENTRY(node, struct kept, node) : NULL;
}

void kept_init(struct kept_set *set, struct neighbours *neighbours, unsigned max)
{
	*set = (struct kept_set){ .neighbours = neighbours, .max = max };
	TAILQ_INIT(&set->all);
}

static void give_up(struct kept *kept)
{
	struct kept_set *set = kept->set;

	neighbour_unuse(set->neighbours, &kept->user);
	hashtable_remove(&set->by_key, &kept->node);
	TAILQ_REMOVE(&set->all, kept, link);
	free(kept);
}

void kept_done(struct kept_set *set)
{
	struct kept *kept;

	while ((kept = TAILQ_FIRST(&set->all)))
		give_up(kept);
	hashtable_done(&set->by_key);
}

/* NULL where memory or the kernel fails. */
static struct kept *add(struct kept_set *set, const struct neighbour_key *key, uint64_t now_ms)
{
	struct kept *kept;

	if (set->by_key.count >= set->max)
		give_up(TAILQ_FIRST(&set->all));
	kept = calloc(1, sizeof(*kept));
	if (!kept)
		return NULL;
	kept->set = set;
	kept->key = *key;
	kept->user.changed = on_changed;
	kept->user.owner = kept;
	if (hashtable_insert(&set->by_key, &kept->node, key_hash(key))) {
		free(kept);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&set->all, kept, link);
	if (!neighbour_use(set->neighbours, key->ifindex, &key->ip, now_ms, &kept->user))
		return kept;
	give_up(kept);
	return NULL;
}

bool kept_may(const struct kept_set *set, const struct neighbour_key *key)
{
	return set->by_key.count < set->max || find(set, key);
}

void kept_keep(struct kept_set *set, const struct neighbour_key *key, uint64_t now_ms,
	       uint64_t until)
{
	struct kept *kept = find(set, key);

	if (!kept)
		kept = add(set, key, now_ms);
	if (!kept)
		return;
	if (kept->until < until)
		kept->until = until;
	TAILQ_REMOVE(&set->all, kept, link);
	TAILQ_INSERT_TAIL(&set->all, kept, link);
}

void kept_doubt(struct kept_set *set, const struct neighbour_key *key, uint64_t now_ms)
{
	struct kept *kept = find(set, key);

	if (kept)
		neighbour_doubt(set->neighbours, kept->user.neighbour, now_ms);
}

void kept_expire(struct kept_set *set, uint64_t now)
{
	struct kept *kept, *next;

	for (kept = TAILQ_FIRST(&set->all); kept; kept = next) {
		next = TAILQ_NEXT(kept, link);
		if (kept->until <= now)
			give_up(kept);
	}
}

const __u8 *kept_mac(const struct kept_set *set, const struct neighbour_key *key)
{
	const struct kept *kept = find(set, key);

	return kept ? neighbour_mac(kept->user.neighbour) : NULL;
}
