// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service's limits. What a number means depends on other keys, so the
 * table has those first: they are read in its order.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/limit/limit.h"

#define BYTES_BURST_MIN 65536 /* by default: a handful of full frames, at any rate */

/* A bool by two words, the second of which is true. */
static int read_choice(struct reader *reader, const struct key *key, const struct node *node,
		       void *target)
{
	int choice;
	int error;

	error = read_word(reader, key, node, &choice);
	if (!error)
		*(bool *)target = choice;
	return error;
}

static int read_rate(struct reader *reader, const struct key *key, const struct node *node,
		     void *target)
{
	struct limit_config *limit = target;
	bool is_bytes = limit->count == SL_COUNT_BYTES;
	struct rate rate;

	if (node->kind == NODE_TEXT &&
	    (is_bytes ? byte_rate_parse : rate_parse)(node->text, &limit->rate) == 0)
		return read_set_text(reader, node->text, &limit->text);
	if (is_bytes)
		return node_refuse(reader->diag, node, "a rate of bytes",
				   "bytes or bits per s, min or h, like 10MB/s, 80Mbit/s or 1G/h");
	if (node->kind == NODE_TEXT && byte_rate_parse(node->text, &rate) == 0)
		return node_error(reader->diag, node,
				  "\"%s\" is a rate of bytes, and %s are counted; write count: "
				  "bytes beside it",
				  node->text, config_count_name(limit->count));
	return node_refuse(reader->diag, node, key->what, key->want);
}

static int read_burst(struct reader *reader, const struct key *key, const struct node *node,
		      void *target)
{
	struct limit_config *limit = target;
	bool is_bytes = limit->count == SL_COUNT_BYTES;
	char what[32];

	(void)snprintf(what, sizeof(what), "a count of %s", config_count_name(limit->count));
	if (node->kind != NODE_TEXT ||
	    (is_bytes ? bytes_parse : count_parse)(node->text, &limit->burst) != 0 || !limit->burst)
		return node_refuse(reader->diag, node, what,
				   is_bytes ? "1 or more, like 2MB or 500k" : key->want);
	return 0;
}

static const struct word per_words[] = { { "source", false }, { "service", true }, {} };
static const struct word pressure_words[] = { { "admit", false }, { "refuse", true }, {} };

static const struct key limit_keys[] = {
	{ .name = "count",
	  .read = read_word,
	  .offset = offsetof(struct limit_config, count),
	  .what = "what can be counted",
	  .words = config_count_words },
	{ .name = "algorithm",
	  .read = read_word,
	  .offset = offsetof(struct limit_config, algorithm),
	  .what = "an algorithm",
	  .words = config_algorithm_words },
	{ .name = "rate",
	  .required = true,
	  .read = read_rate,
	  .what = "a rate",
	  .want = "a number per s, min or h, like 1000/s, 10k/s or 60/min" },
	{ .name = "burst", .read = read_burst, .want = "1 or more, like 2000 or 2k" },
	{ .name = "per",
	  .read = read_choice,
	  .offset = offsetof(struct limit_config, per_service),
	  .what = "what a limit can be for",
	  .words = per_words },
	{ .name = "prefix_v4",
	  .read = read_number,
	  .offset = offsetof(struct limit_config, prefix_v4),
	  .min = 1,
	  .max = 32,
	  .what = "a prefix of IPv4" },
	{ .name = "prefix_v6",
	  .read = read_number,
	  .offset = offsetof(struct limit_config, prefix_v6),
	  .min = 1,
	  .max = 128,
	  .what = "a prefix of IPv6" },
	{ .name = "action",
	  .read = read_word,
	  .offset = offsetof(struct limit_config, action),
	  .what = "an action",
	  .words = config_action_words },
	{ .name = "dry_run",
	  .read = read_bool,
	  .offset = offsetof(struct limit_config, dry_run),
	  .what = "true or false" },
	{ .name = "under_pressure",
	  .read = read_choice,
	  .offset = offsetof(struct limit_config, pressure_refuses),
	  .what = "what can be done under pressure",
	  .words = pressure_words },
	{ .name = "exempt",
	  .read = read_prefixes,
	  .offset = offsetof(struct limit_config, exempt) },
};

static const struct section limit_section = SECTION("a limit", limit_keys);

struct limit_config config_default_limit(void)
{
	return (struct limit_config){ .prefix_v4 = 32, .prefix_v6 = 64 };
}

unsigned long long config_default_burst(const struct limit_config *limit)
{
	unsigned long long most = limit_max_burst(&limit->rate, limit->count);
	unsigned long long burst = rate_default_burst(&limit->rate);

	if (limit->algorithm != SL_ALGORITHM_TOKEN_BUCKET)
		return 0;
	if (limit->count == SL_COUNT_BYTES && burst < BYTES_BURST_MIN)
		burst = BYTES_BURST_MIN;
	return burst < most ? burst : most;
}

/* The highest rate that a bucket takes, in units a second. */
static unsigned long long highest_rate(enum sl_limit_count count)
{
	struct rate rate = { .seconds = 1 };
	unsigned long long good = 0, bad = UINT64_MAX;

	while (bad - good > 1) {
		rate.count = good + (bad - good) / 2;
		if (limit_max_burst(&rate, count))
			good = rate.count;
		else
			bad = rate.count;
	}
	return good;
}

/* A rate that has a window: its length is the rate's period. */
static int check_window(const struct reader *reader, const struct node *map,
			const struct limit_config *limit)
{
	const struct node *burst = node_get(map, "burst");

	if (burst)
		return node_error(reader->diag, burst->parent,
				  "a window has no burst: it admits what the rate says at once; "
				  "leave it out, or write algorithm: token-bucket");
	if (limit->count == SL_COUNT_BYTES && limit->rate.count < ETH_FRAME_LEN)
		return node_error(reader->diag, node_get(map, "rate"),
				  "a window of %llu bytes lets no full frame pass; at least %d",
				  limit->rate.count, ETH_FRAME_LEN);
	return 0;
}

static int check_burst(const struct reader *reader, const struct node *map,
		       struct limit_config *limit)
{
	unsigned long long most = limit_max_burst(&limit->rate, limit->count);
	const struct node *node = node_get(map, limit->burst ? "burst" : "rate");

	if (!limit->burst)
		limit->burst = config_default_burst(limit);
	if (limit->burst > most)
		return node_error(reader->diag, node,
				  "%llu is more than a bucket holds at %s; at most %llu",
				  limit->burst, limit->text, most);
	if (limit->count == SL_COUNT_BYTES && limit->burst < ETH_FRAME_LEN)
		return node_error(reader->diag, node,
				  "a burst of %llu bytes lets no full frame pass; at least %d",
				  limit->burst, ETH_FRAME_LEN);
	return 0;
}

/* A rate that no bucket can count. */
static int refuse_rate(const struct reader *reader, const struct node *node,
		       const struct limit_config *limit)
{
	unsigned long long most = highest_rate(limit->count);
	const char *unit = limit->count == SL_COUNT_BYTES ? "B" : "";
	struct rate rate = limit->rate;
	char text[COUNT_TEXT_SIZE];

	if (rate.count / rate.seconds >= most)
		return node_error(reader->diag, node,
				  "\"%s\" is more than can be told apart; at most %s%s/s",
				  limit->text, count_format(most, text), unit);
	while (!limit_max_burst(&rate, limit->count)) /* a few times: it is nearly enough */
		rate.count++;
	return node_error(reader->diag, node,
			  "\"%s\" is less than a bucket can count; at least %s%s%s", limit->text,
			  count_format(rate.count, text), unit, strchr(limit->text, '/'));
}

static int check_rate(const struct reader *reader, const struct node *map,
		      struct limit_config *limit)
{
	if (!limit_max_burst(&limit->rate, limit->count))
		return refuse_rate(reader, node_get(map, "rate"), limit);
	return limit->algorithm == SL_ALGORITHM_TOKEN_BUCKET ? check_burst(reader, map, limit)
							     : check_window(reader, map, limit);
}

/* Keys that mean nothing beside others. */
static int check_sense(const struct reader *reader, const struct node *map,
		       const struct limit_config *limit, __u8 proto)
{
	static const char *const of_sources[] = { "prefix_v4", "prefix_v6", "under_pressure" };

	if (proto == IPPROTO_UDP && limit->count == SL_COUNT_CONNECTIONS)
		return node_error(reader->diag, node_get(map, "count"),
				  "UDP has no connections that could be counted; write packets or "
				  "bytes");
	if (proto == IPPROTO_UDP && limit->action == SL_ACTION_RESPOND)
		return node_error(reader->diag, node_get(map, "action"),
				  "the responder speaks HTTP over TCP, and this service is udp; "
				  "write drop or reject");
	for (size_t i = 0; limit->per_service && i < ARRAY_SIZE(of_sources); i++) {
		const struct node *value = node_get(map, of_sources[i]);

		if (value)
			return node_error(reader->diag, value->parent,
					  "is about single sources, and a limit per: service has "
					  "one bucket for all; leave it out");
	}
	return 0;
}

static int read_limit(struct reader *reader, const struct node *node, __u8 proto,
		      struct limit_config *limit)
{
	int error;

	error = read_section(&limit_section, reader, node, limit);
	if (!error)
		error = check_rate(reader, node, limit);
	return error ? error : check_sense(reader, node, limit, proto);
}

int read_limits(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	const struct node *item = node->kind == NODE_LIST ? node->first : node;
	struct service_config *service = target;
	int error = 0;

	(void)key;
	if (node->kind == NODE_LIST && (!item || node_count(node) > SL_LIMITS_MAX))
		return node_error(reader->diag, node, "a list of limits has 1 to %d of them",
				  SL_LIMITS_MAX);
	for (; item && !error; item = node->kind == NODE_LIST ? item->next : NULL) {
		struct limit_config *limit = &service->limits[service->n_limits++];

		*limit = config_default_limit();
		error = read_limit(reader, item, service->proto, limit);
	}
	return error;
}
