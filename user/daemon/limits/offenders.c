// SPDX-License-Identifier: BSD-2-Clause
/* Events tell that a source goes over a limit. That it is back shows in its bucket alone,
 * so each source that was said to be over is looked up until it is calm.
 */
#include "daemon/limits/offenders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/datapath/limits.h"
#include "daemon/datapath/sources.h"
#include "daemon/log.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/hashtable.h"
#include "sluice/second.h"

#define SOURCES_MAX   4096
#define LINES_MAX     100 /* from one tick to the next, about each of over and back */
#define LABEL_SIZE    (CONFIG_NAME_MAX + 64)
#define WHO_SIZE      (ADDR_TEXT_SIZE + CONFIG_NAME_MAX + 16)
#define NS_PER_SECOND 1000000000ULL

/* A source that is over. */
struct over {
	struct hash_node node; /* in offenders.sources, by key */
	struct sl_source key;
	unsigned limit;          /* index into sl_limits */
	unsigned number;         /* the limit's, through all generations */
	struct sl_bucket bucket; /* as it was last seen */
	bool shared;             /* per: service */
	bool dry_run;
	char who[WHO_SIZE];     /* "192.0.2.7", "the service web" */
	char label[LABEL_SIZE]; /* "1000/s of web" */
};

struct offenders {
	struct balancer *balancer;
	struct hashtable sources;
	unsigned lines;  /* since the last tick */
	unsigned unsaid; /* events since the last tick that no line was about */
};

/* The limit that an event is about, in the configuration that runs. */
struct subject {
	const struct limit_config *config;
	const struct service_config *service;
	const struct sl_limit *limit;
	unsigned index; /* of limit */
};

int offenders_new(struct balancer *balancer, struct offenders **ret_offenders)
{
	struct offenders *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->balancer = balancer;
	*ret_offenders = log;
	return 0;
}

static void forget(struct offenders *log, struct over *over)
{
	hashtable_remove(&log->sources, &over->node);
	free(over);
}

void offenders_free(struct offenders *log)
{
	struct hash_node *node, *next;

	if (!log)
		return;
	for (node = hashtable_next(&log->sources, NULL); node; node = next) {
		next = hashtable_next(&log->sources, node);
		free(HASH_ENTRY(node, struct over, node));
	}
	hashtable_done(&log->sources);
	free(log);
}

/* ---- whose limit is it? -------------------------------------------------------- */

typedef bool limit_wanted_fn(const struct subject *subject, const void *arg);

/* Among the limits of one service, all of whose addresses have the same block. */
static bool find_in_service(const struct balancer *balancer, const struct service_config *service,
			    struct subject *subject, limit_wanted_fn *wanted, const void *arg)
{
	unsigned first = 0;

	for (size_t i = 0; service->n_limits && !first && i < service->n_addresses; i++) {
		struct sl_key key = plan_service_key(service, &service->addresses[i]);

		first = datapath_limits(balancer->datapath, &key);
	}
	for (unsigned i = 0; first && i < service->n_limits; i++) {
		subject->service = service;
		subject->config = &service->limits[i];
		subject->index = first + i;
		subject->limit = datapath_limit(balancer->datapath, first + i);
		if (subject->limit && wanted(subject, arg))
			return true;
	}
	return false;
}

static bool find_limit(const struct balancer *balancer, struct subject *ret_subject,
		       limit_wanted_fn *wanted, const void *arg)
{
	for (size_t i = 0; i < balancer->config->n_services; i++)
		if (find_in_service(balancer, balancer->services[i]->config, ret_subject, wanted,
				    arg))
			return true;
	return false;
}

/* An event of a block that has been replaced meanwhile is about nothing that runs. */
static bool is_event_limit(const struct subject *subject, const void *arg)
{
	const struct sl_event *event = arg;

	return subject->index == event->limit && subject->limit->id == event->source.id;
}

/* No other limit gets the number of a limit while that one goes on. */
static bool is_same_limit(const struct subject *subject, const void *arg)
{
	return subject->limit->number == ((const struct over *)arg)->number;
}

/* ---- going over ------------------------------------------------------------------ */

static bool has_key(const struct hash_node *node, const void *key)
{
	return !memcmp(&HASH_ENTRY(node, const struct over, node)->key, key,
		       sizeof(struct sl_source));
}

static uint64_t hash_of(const struct sl_source *key)
{
	return hash_bytes(key, sizeof(*key), 0);
}

static void write_who(const struct subject *subject, const struct sl_source *key,
		      char who[static WHO_SIZE])
{
	struct ip ip = { .addr = key->addr, .family = (__u8)key->family };
	bool ipv4 = key->family == SL_FAMILY_IPV4;
	unsigned bits = ipv4 ? subject->limit->prefix_v4 : subject->limit->prefix_v6;
	char text[ADDR_TEXT_SIZE];

	if (subject->config->per_service)
		(void)snprintf(who, WHO_SIZE, "the service %s", subject->service->name);
	else if (bits == (ipv4 ? 32 : 128))
		(void)snprintf(who, WHO_SIZE, "%s", ip_format(&ip, text));
	else
		(void)snprintf(who, WHO_SIZE, "%s/%u", ip_format(&ip, text), bits);
}

static void write_label(const struct subject *subject, char label[static LABEL_SIZE])
{
	const char *text = subject->config->text ? subject->config->text : "?";

	if (subject->config->per_service)
		(void)snprintf(label, LABEL_SIZE, "%s", text);
	else
		(void)snprintf(label, LABEL_SIZE, "%s of %s", text, subject->service->name);
}

static struct over *over_new(const struct subject *subject, const struct sl_source *key)
{
	struct over *over = calloc(1, sizeof(*over));

	if (!over)
		return NULL;
	over->key = *key;
	over->limit = subject->index;
	over->number = subject->limit->number;
	over->bucket.over = over->bucket.last = clock_second();
	over->shared = subject->config->per_service;
	over->dry_run = subject->config->dry_run;
	write_who(subject, key, over->who);
	write_label(subject, over->label);
	return over;
}

/* False: there is no room to remember it. */
static bool remember(struct offenders *log, const struct subject *subject,
		     const struct sl_source *key)
{
	_cleanup_(cleanup_free) struct over *over = NULL;

	if (log->sources.count >= SOURCES_MAX)
		return false;
	over = over_new(subject, key);
	if (!over || hashtable_insert(&log->sources, &over->node, hash_of(key)))
		return false;
	log->lines++;
	log_info("%s is over the limit %s%s", over->who, over->label,
		 over->dry_run ? ": it would be refused, but for dry_run" : "");
	(void)TAKE_PTR(over);
	return true;
}

static bool is_known(const struct offenders *log, const struct sl_source *key)
{
	return hashtable_find(&log->sources, hash_of(key), key, has_key);
}

/* A source that is known already went over once more before it was seen to be back, or has
 * lost its bucket and got a new one: that needs no second line.
 */
void offenders_over(struct offenders *log, const struct sl_event *event)
{
	struct sl_source key = event->source;
	struct subject subject;

	if (!log || is_known(log, &key))
		return;
	if (log->lines >= LINES_MAX) {
		log->unsaid++;
		return;
	}
	if (!find_limit(log->balancer, &subject, is_event_limit, event))
		return;
	/* All sources together have one bucket: it does not matter whose packet it was. */
	if (subject.config->per_service)
		key = (struct sl_source){ .id = key.id };
	if (!is_known(log, &key) && !remember(log, &subject, &key))
		log->unsaid++;
}

/* ---- coming back ------------------------------------------------------------------ */

static int look_up(const struct offenders *log, struct over *over)
{
	const struct datapath *datapath = log->balancer->datapath;
	const struct sl_limit *limit = datapath_limit(datapath, over->limit);
	struct sl_bucket total;

	if (!over->shared)
		return datapath_source(datapath, &over->key, &over->bucket);
	if (!limit || limit->id != over->key.id)
		return -ENOENT;
	total = datapath_limit_total(datapath, over->limit);
	if (!total.over)
		return -ENOENT; /* forgotten */
	over->bucket = total;
	return 0;
}

/* A changed limit is another one, whose buckets go on where the old ones were
 * without another event: the source is followed there.
 */
static void follow(struct offenders *log, struct over *over, const struct subject *later)
{
	hashtable_remove(&log->sources, &over->node);
	over->limit = later->index;
	over->key.id = later->limit->id;
	over->dry_run = later->config->dry_run;
	write_label(later, over->label);
	/* Where it has had an event of its own already, that one goes on. */
	if (is_known(log, &over->key) ||
	    hashtable_insert(&log->sources, &over->node, hash_of(&over->key)))
		free(over);
}

static void say_back(struct offenders *log, const struct over *over)
{
	const struct sl_bucket *bucket = &over->bucket;
	__u64 ns = sl_second_ns(bucket->last - bucket->over) + sl_second_ns(1);

	log->lines++;
	log_info("%s is within the limit %s again: %llu packet%s %s in %llu s", over->who,
		 over->label, (unsigned long long)bucket->refused, bucket->refused == 1 ? "" : "s",
		 over->dry_run ? "would have been refused" : "refused",
		 (unsigned long long)((ns + NS_PER_SECOND / 2) / NS_PER_SECOND));
}

/* A bucket that is gone is judged by its last known state. */
static void check_source(struct offenders *log, struct over *over, __u32 now)
{
	struct subject subject;

	(void)look_up(log, over);
	/* The program's clock may be ahead of ours: then `last` is in the future. And
	 * when too much has been said, the next tick says it.
	 */
	if (sl_second_difference(now, over->bucket.last) < SL_LIMIT_CALM || log->lines >= LINES_MAX)
		return;
	if (!find_limit(log->balancer, &subject, is_same_limit, over)) {
		/* The limit itself is gone. */
		forget(log, over);
	} else if (subject.index != over->limit) {
		follow(log, over, &subject);
	} else {
		say_back(log, over);
		forget(log, over);
	}
}

void offenders_tick(struct offenders *log)
{
	struct hash_node *node, *next;
	__u32 now = clock_second();

	if (log->unsaid)
		log_info("%u more went over a limit: too many to name", log->unsaid);
	log->lines = log->unsaid = 0;
	for (node = hashtable_next(&log->sources, NULL); node; node = next) {
		next = hashtable_next(&log->sources, node);
		check_source(log, HASH_ENTRY(node, struct over, node), now);
	}
}
