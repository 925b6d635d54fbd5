// SPDX-License-Identifier: BSD-2-Clause
/* The neighbours in use. Invariants: a neighbour is here exactly as long as it
 * has users; tend_at_ms is never later than the first thing that is due.
 */
#include "daemon/nexthop/neighbours.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/links.h"
#include "daemon/nexthop/neighbour_entry.h"

#define RETRY_MS     1000  /* between questions for an unresolved neighbour */
#define TEND_MS      20000 /* between those for one that the kernel does not manage */
#define ASKS_AT_ONCE 4096  /* the loop has other things to do; the rest follows */
#define REST_MS      100   /* between two walks over all neighbours */
#define PROBE_MS     5000  /* between two doubts about a MAC address in use */

/* How long a MAC outlives its entry. One that is deleted (`ip neigh flush`,
 * the kernel's garbage collection) says nothing about the neighbour: it is asked
 * for again, and its connections must not be moved meanwhile; so longer than
 * RETRY_MS. A deletion is told as a failure first, hence the short wait there.
 */
#define DELETED_GRACE_MS (2 * RETRY_MS + 500)
#define FAILED_GRACE_MS  100

struct neighbour {
	struct hash_node node;
	struct neighbour_key key;
	struct neighbour_entry entry;
	__u8 mac[6];           /* the last that was good */
	bool resolved;         /* mac is good, or in its grace */
	bool claimed;          /* it was us who had it managed */
	bool doubted;          /* the kernel is to probe the MAC address */
	uint64_t lost_ms;      /* when the entry stopped being usable */
	uint64_t grace_end_ms; /* 0: not in grace */
	uint64_t asked_ms;     /* 0: never */
	unsigned round;
	LIST_HEAD(, neighbour_user) users;
	TAILQ_ENTRY(neighbour) link;
};

static uint64_t key_hash(const struct neighbour_key *key)
{
	return hash_bytes(key->ip.addr.bytes, sizeof(key->ip.addr.bytes),
			  (uint64_t)key->ifindex << 8 | key->ip.family);
}

static bool neighbour_equal(const struct hash_node *node, const void *arg)
{
	const struct neighbour *neighbour = HASH_ENTRY(node, struct neighbour, node);
	const struct neighbour_key *key = arg;

	return neighbour->key.ifindex == key->ifindex && ip_equal(&neighbour->key.ip, &key->ip);
}

static struct neighbour *find(const struct neighbours *neighbours, const struct neighbour_key *key)
{
	struct hash_node *node;

	node = hashtable_find(&neighbours->by_key, key_hash(key), key, neighbour_equal);
	return node ? HASH_ENTRY(node, struct neighbour, node) : NULL;
}

void neighbours_init(struct neighbours *neighbours, struct netlink *netlink)
{
	*neighbours = (struct neighbours){
		.netlink = netlink,
		.tend_at_ms = UINT64_MAX,
	};
	TAILQ_INIT(&neighbours->all);
}

void neighbours_done(struct neighbours *neighbours)
{
	hashtable_done(&neighbours->by_key);
}

const __u8 *neighbour_mac(const struct neighbour *neighbour)
{
	return neighbour->resolved ? neighbour->mac : NULL;
}

static void tend_by(struct neighbours *neighbours, uint64_t at_ms)
{
	if (at_ms < neighbours->rest_end_ms)
		at_ms = neighbours->rest_end_ms;
	if (at_ms < neighbours->tend_at_ms)
		neighbours->tend_at_ms = at_ms;
}

/* When the kernel is to be asked for it; UINT64_MAX: never. */
static uint64_t ask_at_ms(const struct neighbour *neighbour)
{
	const struct neighbour_entry *entry = &neighbour->entry;

	if (neighbour_entry_foreign(entry))
		return UINT64_MAX;
	if (neighbour->asked_ms == 0 || neighbour->doubted)
		return 0;
	if (!neighbour_entry_usable(entry))
		return neighbour->asked_ms + RETRY_MS;
	if (!neighbour_entry_managed(entry))
		return neighbour->asked_ms + TEND_MS;
	return UINT64_MAX;
}

/* Makes tend_at_ms right for what is due next with this neighbour. */
static void schedule(struct neighbours *neighbours, const struct neighbour *neighbour)
{
	tend_by(neighbours, ask_at_ms(neighbour));
	if (neighbour->grace_end_ms)
		tend_by(neighbours, neighbour->grace_end_ms);
}

/* Takes in the entry; true when neighbour_mac() is another now. */
static bool settle(struct neighbour *neighbour, const struct neighbour_entry *entry,
		   uint64_t now_ms)
{
	const bool was_resolved = neighbour->resolved;
	const bool was_usable = neighbour_entry_usable(&neighbour->entry);
	const bool other_mac = memcmp(neighbour->mac, entry->mac, sizeof(entry->mac)) != 0;

	neighbour->entry = *entry;
	if (neighbour_entry_usable(entry)) {
		memcpy(neighbour->mac, entry->mac, sizeof(neighbour->mac));
		neighbour->resolved = true;
		neighbour->grace_end_ms = 0;
		return !was_resolved || other_mac;
	}
	if (was_usable)
		neighbour->lost_ms = now_ms;
	if (was_resolved && !entry->exists)
		neighbour->grace_end_ms = neighbour->lost_ms + DELETED_GRACE_MS;
	else if (was_resolved && was_usable)
		neighbour->grace_end_ms = neighbour->lost_ms + FAILED_GRACE_MS;
	return false;
}

static void tell_users(struct neighbour *neighbour)
{
	struct neighbour_user *user;

	for (user = LIST_FIRST(&neighbour->users); user; user = LIST_NEXT(user, link))
		user->changed(user);
}

/* Whether packets of the kernel's go the same way by both. */
static bool same_way(const struct neighbour_entry *a, const struct neighbour_entry *b)
{
	return neighbour_entry_usable(a) == neighbour_entry_usable(b) &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

/* Whether packets of the kernel's go another way now. */
static bool take_entry(struct neighbours *neighbours, struct neighbour *neighbour,
		       const struct neighbour_entry *entry, uint64_t now_ms)
{
	const bool another_way = !same_way(&neighbour->entry, entry);
	const bool changed = settle(neighbour, entry, now_ms);

	neighbour->round = neighbours->round;
	schedule(neighbours, neighbour);
	if (changed)
		tell_users(neighbour);
	return another_way;
}

bool neighbours_take(struct neighbours *neighbours, const struct nlmsghdr *message, uint64_t now_ms)
{
	struct neighbour_entry entry;
	struct neighbour *neighbour;
	struct neighbour_key key;

	if (!neighbour_entry_parse(message, &key, &entry))
		return true;
	neighbour = find(neighbours, &key);
	return !neighbour || take_entry(neighbours, neighbour, &entry, now_ms);
}

void neighbour_doubt(struct neighbours *neighbours, struct neighbour *neighbour, uint64_t now_ms)
{
	if (!neighbour_entry_usable(&neighbour->entry) || now_ms - neighbour->asked_ms < PROBE_MS)
		return;
	neighbour->doubted = true;
	schedule(neighbours, neighbour);
}

static int add(struct neighbours *neighbours, const struct neighbour_key *key, uint64_t now_ms,
	       struct neighbour **ret_neighbour)
{
	struct neighbour *neighbour = calloc(1, sizeof(*neighbour));
	struct neighbour_entry entry;
	int error;

	if (!neighbour)
		return -ENOMEM;
	neighbour->key = *key;
	LIST_INIT(&neighbour->users);
	error = neighbour_entry_get(neighbours->netlink, key, &entry);
	if (error == 0)
		error = hashtable_insert(&neighbours->by_key, &neighbour->node, key_hash(key));
	if (error) {
		free(neighbour);
		return error;
	}
	TAILQ_INSERT_HEAD(&neighbours->all, neighbour, link);
	(void)take_entry(neighbours, neighbour, &entry, now_ms);
	*ret_neighbour = neighbour;
	return 0;
}

int neighbour_use(struct neighbours *neighbours, int ifindex, const struct ip *ip, uint64_t now_ms,
		  struct neighbour_user *user)
{
	const struct neighbour_key key = { .ip = *ip, .ifindex = ifindex };
	struct neighbour *neighbour = find(neighbours, &key);
	int error = 0;

	if (neighbour && neighbour == user->neighbour)
		return 0;
	if (!neighbour)
		error = add(neighbours, &key, now_ms, &neighbour);
	if (error)
		return error;
	neighbour_unuse(neighbours, user);
	user->neighbour = neighbour;
	LIST_INSERT_HEAD(&neighbour->users, user, link);
	return 0;
}

void neighbour_unuse(struct neighbours *neighbours, struct neighbour_user *user)
{
	struct neighbour *neighbour = user->neighbour;

	if (!neighbour)
		return;
	LIST_REMOVE(user, link);
	user->neighbour = NULL;
	if (!LIST_EMPTY(&neighbour->users))
		return;
	if (neighbour->claimed && !neighbour_entry_foreign(&neighbour->entry))
		neighbour_entry_release(neighbours->netlink, &neighbour->key);
	hashtable_remove(&neighbours->by_key, &neighbour->node);
	TAILQ_REMOVE(&neighbours->all, neighbour, link);
	free(neighbour);
}

struct load {
	struct neighbours *neighbours;
	uint64_t now_ms;
};

static void on_dumped(const struct nlmsghdr *message, void *arg)
{
	const struct load *load = arg;

	if (message->nlmsg_type == RTM_NEWNEIGH)
		(void)neighbours_take(load->neighbours, message, load->now_ms);
}

int neighbours_load(struct neighbours *neighbours, uint64_t now_ms)
{
	static const struct neighbour_entry none;
	struct load load = { .neighbours = neighbours, .now_ms = now_ms };
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETNEIGH, 0);
	struct neighbour *neighbour;
	int error;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ndmsg));
	neighbours->round++;
	error = netlink_dump(neighbours->netlink, request, on_dumped, &load);
	if (error)
		return error;
	neighbour = TAILQ_FIRST(&neighbours->all);
	for (; neighbour; neighbour = TAILQ_NEXT(neighbour, link))
		if (neighbour->round != neighbours->round)
			(void)take_entry(neighbours, neighbour, &none, now_ms);
	return 0;
}

/* Told once, until the kernel takes everything again. */
static void tell_refusal(struct neighbours *neighbours, int error)
{
	if (error == 0) {
		neighbours->refused = false;
		return;
	}
	/* That a device has just gone, or the MAC address of an entry that was to be probed, is no
	 * refusal.
	 */
	if (neighbours->refused || error == -ENODEV || error == -EINVAL)
		return;
	neighbours->refused = true;
	if (error == -ENOBUFS)
		log_warning(
			"the kernel's neighbour table is full: raise the sysctls "
			"net.ipv4.neigh.default.gc_thresh3 and net.ipv6.neigh.default.gc_thresh3");
	else
		log_warning("the kernel refuses to resolve a neighbour: %s", strerror(-error));
}

static bool is_up(const struct links *links, int ifindex)
{
	const struct link *link = links_find(links, ifindex);

	return link && link->up && link->ethernet;
}

static void end_grace(struct neighbour *neighbour, uint64_t now_ms)
{
	if (!neighbour->grace_end_ms || neighbour->grace_end_ms > now_ms)
		return;
	neighbour->grace_end_ms = 0;
	neighbour->resolved = false;
	tell_users(neighbour);
}

/* Asks if that is due; on a link that is down, just waits again. */
static bool ask(struct neighbour *neighbour, const struct links *links, uint64_t now_ms,
		struct neighbour_batch *batch)
{
	bool doubted;

	if (ask_at_ms(neighbour) > now_ms)
		return false;
	neighbour->asked_ms = now_ms;
	doubted = neighbour->doubted;
	neighbour->doubted = false;
	if (!is_up(links, neighbour->key.ifindex))
		return false;
	if (!neighbour_entry_managed(&neighbour->entry))
		neighbour->claimed = true;
	if (doubted || neighbour_entry_stale(&neighbour->entry))
		neighbour_batch_probe(batch, &neighbour->key);
	neighbour_batch_ask(batch, &neighbour->key);
	return true;
}

void neighbours_tend(struct neighbours *neighbours, const struct links *links, uint64_t now_ms)
{
	struct neighbour_batch batch = { .netlink = neighbours->netlink };
	const struct neighbour *last = TAILQ_LAST(&neighbours->all, neighbour_list);
	struct neighbour *neighbour, *next = TAILQ_FIRST(&neighbours->all);
	unsigned asked = 0;

	neighbours->tend_at_ms = UINT64_MAX;
	neighbours->rest_end_ms = now_ms + REST_MS;
	do {
		neighbour = next;
		if (!neighbour)
			break;
		next = TAILQ_NEXT(neighbour, link);
		end_grace(neighbour, now_ms);
		if (ask(neighbour, links, now_ms, &batch)) {
			TAILQ_REMOVE(&neighbours->all, neighbour, link);
			TAILQ_INSERT_TAIL(&neighbours->all, neighbour, link);
			asked++;
		}
		schedule(neighbours, neighbour);
	} while (neighbour != last && asked < ASKS_AT_ONCE);
	if (asked == ASKS_AT_ONCE)
		tend_by(neighbours, now_ms);
	neighbour_batch_send(&batch);
	if (asked)
		tell_refusal(neighbours, batch.error);
}
