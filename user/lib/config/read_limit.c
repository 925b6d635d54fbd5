// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service's limits. What a number means depends on other keys, so the
 * table has those first: they are read in its order.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/diag.h"
#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"
#include "lib/limit/limit.h"

#define BYTES_BURST_MIN 65536 /* by default: a handful of full frames, at any rate */

static int read_rate(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	struct limit_config *limit = object;
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

static void emit_rate(struct writer *writer, const struct key *key, const void *object)
{
	const struct limit_config *limit = object;

	(void)key;
	emit_text(&writer->emit, limit->text);
}

/* 10/s and 600/min fill a bucket alike, but are not the same windows. */
static bool equal_rate(const struct key *key, const void *left, const void *right)
{
	const struct limit_config *a = left, *b = right;

	(void)key;
	if (!limit_has_burst(a->algorithm))
		return a->rate.count == b->rate.count && a->rate.seconds == b->rate.seconds;
	return (unsigned __int128)a->rate.count * b->rate.seconds ==
	       (unsigned __int128)b->rate.count * a->rate.seconds;
}

static int copy_rate(const struct key *key, const void *from, void *to)
{
	const struct limit_config *limit = from;
	struct limit_config *copy = to;

	(void)key;
	copy->rate = limit->rate;
	copy->text = strdup(limit->text);
	return copy->text ? 0 : -ENOMEM;
}

static void done_rate(const struct key *key, void *object)
{
	struct limit_config *limit = object;

	(void)key;
	free(limit->text);
	limit->text = NULL;
}

static const struct type type_rate = {
	.read = read_rate,
	.emit = emit_rate,
	.equal = equal_rate,
	.copy = copy_rate,
	.done = done_rate,
};

static int read_burst(struct reader *reader, const struct key *key, const struct node *node,
		      void *object)
{
	struct limit_config *limit = object;
	bool is_bytes = limit->count == SL_COUNT_BYTES;
	char what[32];

	(void)snprintf(what, sizeof(what), "a count of %s", config_count_name(limit->count));
	if (node->kind != NODE_TEXT ||
	    (is_bytes ? bytes_parse : count_parse)(node->text, &limit->burst) != 0 || !limit->burst)
		return node_refuse(reader->diag, node, what,
				   is_bytes ? "1 or more, like 2MB or 500k" : key->want);
	return 0;
}

static unsigned long long default_burst(const struct limit_config *limit)
{
	unsigned long long most = limit_max_burst(&limit->rate, limit->count);
	unsigned long long burst = rate_default_burst(&limit->rate);

	if (!limit_has_burst(limit->algorithm))
		return 0;
	if (limit->count == SL_COUNT_BYTES && burst < BYTES_BURST_MIN)
		burst = BYTES_BURST_MIN;
	return burst < most ? burst : most;
}

static int default_burst_of(const struct key *key, const struct scope *scope, const void *object,
			    void *to)
{
	(void)scope;
	key_set_number(key, to, default_burst(object));
	return 0;
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
		       const struct limit_config *limit)
{
	unsigned long long burst = limit->burst ? limit->burst : default_burst(limit);
	unsigned long long most = limit_max_burst(&limit->rate, limit->count);
	const struct node *node = node_get(map, limit->burst ? "burst" : "rate");

	if (burst > most)
		return node_error(reader->diag, node,
				  "%llu is more than a bucket holds at %s; at most %llu", burst,
				  limit->text, most);
	if (limit->count == SL_COUNT_BYTES && burst < ETH_FRAME_LEN)
		return node_error(reader->diag, node,
				  "a burst of %llu bytes lets no full frame pass; at least %d",
				  burst, ETH_FRAME_LEN);
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
		      const struct limit_config *limit)
{
	if (!limit_max_burst(&limit->rate, limit->count))
		return refuse_rate(reader, node_get(map, "rate"), limit);
	return limit_has_burst(limit->algorithm) ? check_burst(reader, map, limit)
						 : check_window(reader, map, limit);
}

/* Keys that mean nothing beside others. */
static int check_sense(const struct reader *reader, const struct node *map,
		       const struct limit_config *limit)
{
	__u8 proto = reader->scope.service->proto;
	const struct node *value;

	if (proto == IPPROTO_UDP && limit->count == SL_COUNT_CONNECTIONS)
		return node_error(reader->diag, node_get(map, "count"),
				  "UDP has no connections that could be counted; write packets or "
				  "bytes");
	if (proto == IPPROTO_UDP && limit->action == SL_ACTION_RESPOND)
		return node_error(reader->diag, node_get(map, "action"),
				  "the responder speaks HTTP over TCP, and this service is udp; "
				  "write drop or reject");
	value = limit->per_service ? section_find_conditional(&section_limit, map) : NULL;
	if (value)
		return node_error(reader->diag, value->parent,
				  "is about single sources, and a limit per: service has one "
				  "bucket for all; leave it out");
	return 0;
}

static int check_limit(struct reader *reader, const struct node *map, void *object)
{
	int error = check_rate(reader, map, object);

	return error ? error : check_sense(reader, map, object);
}

static const struct word per_words[] = { { "source", false }, { "service", true }, {} };
static const struct word pressure_words[] = { { "admit", false }, { "refuse", true }, {} };

static const struct key limit_keys[] = {
	{ .name = "count",
	  .type = &type_word,
	  MEMBER(struct limit_config, count),
	  .what = "what can be counted",
	  .words = config_count_words },
	{ .name = "algorithm",
	  .type = &type_word,
	  MEMBER(struct limit_config, algorithm),
	  .what = "an algorithm",
	  .words = config_algorithm_words },
	{ .name = "rate",
	  .required = true,
	  .rank = -1,
	  .type = &type_rate,
	  MEMBERS(struct limit_config, rate, text),
	  .what = "a rate",
	  .want = "a number per s, min or h, like 1000/s, 10k/s or 60/min" },
	{ .name = "burst",
	  .rank = -1,
	  .type = &type_count,
	  .read = read_burst,
	  MEMBER(struct limit_config, burst),
	  .default_from = default_burst_of,
	  .want = "1 or more, like 2000 or 2k" },
	{ .name = "per",
	  .type = &type_word,
	  MEMBER(struct limit_config, per_service),
	  .what = "what a limit can be for",
	  .words = per_words },
	{ .name = "prefix_v4",
	  .type = &type_number,
	  MEMBER(struct limit_config, prefix_v4),
	  .default_number = 32,
	  .conditional = true,
	  .min = 1,
	  .max = 32,
	  .what = "a prefix of IPv4" },
	{ .name = "prefix_v6",
	  .type = &type_number,
	  MEMBER(struct limit_config, prefix_v6),
	  .default_number = 64,
	  .conditional = true,
	  .min = 1,
	  .max = 128,
	  .what = "a prefix of IPv6" },
	{ .name = "action",
	  .type = &type_word,
	  MEMBER(struct limit_config, action),
	  .what = "an action",
	  .words = config_action_words },
	{ .name = "dry_run",
	  .type = &type_bool,
	  MEMBER(struct limit_config, dry_run),
	  .what = "true or false" },
	{ .name = "under_pressure",
	  .type = &type_word,
	  MEMBER(struct limit_config, pressure_refuses),
	  .conditional = true,
	  .what = "what can be done under pressure",
	  .words = pressure_words },
	{ .name = "exempt", .type = &type_prefixes, MEMBER(struct limit_config, exempt) },
};

const struct section section_limit = {
	SECTION("a limit", limit_keys, struct limit_config),
	.check = check_limit,
};

int read_limits(struct reader *reader, const struct key *key, const struct node *node, void *object)
{
	const struct node *item = node->kind == NODE_LIST ? node->first : node;
	struct service_config *service = object;
	int kept = 0, error;

	(void)key;
	if (node->kind == NODE_LIST && (!item || node_count(node) > SL_LIMITS_MAX))
		return node_error(reader->diag, node, "a list of limits has 1 to %d of them",
				  SL_LIMITS_MAX);
	for (; item; item = node->kind == NODE_LIST ? item->next : NULL) {
		struct limit_config *limit = &service->limits[service->n_limits++];

		if (section_init(&section_limit, NULL, NULL, limit) != 0)
			return read_out_of_memory(reader);
		error = read_section(&section_limit, reader, item, limit);
		if (error && !diag_keep(reader->diag, error))
			return error;
		kept = error ? -DIAG_KEPT : kept;
	}
	return kept;
}
