// SPDX-License-Identifier: BSD-2-Clause
/* The keys of the limiter as a whole: its tables, and what it may do how often. */
#include <errno.h>

#include "lib/base/units.h"
#include "lib/config/read.h"

static int read_gate(struct reader *reader, const struct key *key, const struct node *node,
		     void *target)
{
	unsigned gate, next = 1;
	int error;

	error = read_count(reader, key, node, &gate);
	if (error)
		return error;
	while (next < gate) /* the range ends with a power of two */
		next *= 2;
	if (next != gate)
		return node_error(reader->diag, node,
				  "%u is not a power of two; the next one is %u", gate, next);
	*(unsigned *)target = gate;
	return 0;
}

/* A rate per second alone. */
static int read_pace(struct reader *reader, const struct key *key, const struct node *node,
		     void *target)
{
	struct rate rate;

	if (node->kind != NODE_TEXT || rate_parse(node->text, &rate) != 0 || rate.seconds != 1 ||
	    rate.count < key->min || rate.count > key->max)
		return node_refuse(reader->diag, node, key->what, key->want);
	*(unsigned *)target = (unsigned)rate.count;
	return 0;
}

static const struct key limiter_keys[] = {
	{ .name = "buckets",
	  .read = read_count,
	  .offset = offsetof(struct limiter_config, buckets),
	  .min = 1024,
	  .max = 1 << 26,
	  .what = "a count of buckets",
	  .want = "from 1024 to 67108864, like 100k" },
	{ .name = "gate",
	  .read = read_gate,
	  .offset = offsetof(struct limiter_config, gate),
	  .min = 1024,
	  .max = 1 << 26,
	  .what = "a count of cells",
	  .want = "a power of two from 1024 to 67108864, like 65536" },
	{ .name = "inserts",
	  .read = read_pace,
	  .offset = offsetof(struct limiter_config, inserts_per_second),
	  .min = 1,
	  .max = 100 * 1000 * 1000,
	  .what = "a pace",
	  .want = "from 1/s to 100M/s, like 50k/s" },
	{ .name = "answers",
	  .read = read_pace,
	  .offset = offsetof(struct limiter_config, refusals_per_second),
	  .min = 1,
	  .max = 100 * 1000 * 1000,
	  .what = "a pace",
	  .want = "from 1/s to 100M/s, like 10k/s" },
	{ .name = "events",
	  .read = read_pace,
	  .offset = offsetof(struct limiter_config, events_per_second),
	  .min = 1,
	  .max = 1000 * 1000,
	  .what = "a pace",
	  .want = "from 1/s to 1M/s, like 100/s" },
};

static const struct section limiter_section = SECTION("limiter", limiter_keys);

struct limiter_config config_default_limiter(void)
{
	return (struct limiter_config){
		.buckets = SL_DEFAULT_BUCKETS,
		.gate = 65536,
		.inserts_per_second = 50000,
		.refusals_per_second = 10000,
		.events_per_second = 100,
	};
}

int read_limiter(struct reader *reader, const struct key *key, const struct node *node,
		 void *target)
{
	(void)key;
	if (node_is_empty(node))
		return 0;
	return read_section(&limiter_section, reader, node, target);
}
