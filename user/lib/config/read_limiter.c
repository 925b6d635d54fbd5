// SPDX-License-Identifier: BSD-2-Clause
/* The keys of the limiter as a whole: its tables, and what it may do how often. */
#include <errno.h>

#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

static int read_gate(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	unsigned long long gate, next = 1;
	int error;

	error = read_count(reader, key, node, object);
	if (error)
		return error;
	gate = key_number(key, object);
	while (next < gate) /* the range ends with a power of two */
		next *= 2;
	if (next != gate)
		return node_error(reader->diag, node,
				  "%llu is not a power of two; the next one is %llu", gate, next);
	return 0;
}

/* A rate per second alone. */
static int read_pace(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	struct rate rate;

	if (node->kind != NODE_TEXT || rate_parse(node->text, &rate) != 0 || rate.seconds != 1 ||
	    rate.count < key->min || rate.count > key->max)
		return node_refuse(reader->diag, node, key->what, key->want);
	key_set_number(key, object, rate.count);
	return 0;
}

static void emit_pace(struct writer *writer, const struct key *key, const void *object)
{
	char text[COUNT_TEXT_SIZE];

	emit_format(&writer->emit, "%s/s", count_format(key_number(key, object), text));
}

static const struct type type_pace = {
	.size = sizeof(unsigned),
	.read = read_pace,
	.emit = emit_pace,
};

static const struct key limiter_keys[] = {
	{ .name = "buckets",
	  .type = &type_count,
	  MEMBER(struct limiter_config, buckets),
	  .default_number = SL_DEFAULT_BUCKETS,
	  .min = 1024,
	  .max = 1 << 26,
	  .what = "a count of buckets",
	  .want = "from 1024 to 67108864, like 100k" },
	{ .name = "gate",
	  .type = &type_number,
	  .read = read_gate,
	  MEMBER(struct limiter_config, gate),
	  .default_number = 65536,
	  .min = 1024,
	  .max = 1 << 26,
	  .what = "a count of cells",
	  .want = "a power of two from 1024 to 67108864, like 65536" },
	{ .name = "inserts",
	  .type = &type_pace,
	  MEMBER(struct limiter_config, inserts_per_second),
	  .default_number = 50000,
	  .min = 1,
	  .max = 100 * 1000 * 1000,
	  .what = "a pace",
	  .want = "from 1/s to 100M/s, like 50k/s" },
	{ .name = "answers",
	  .type = &type_pace,
	  MEMBER(struct limiter_config, refusals_per_second),
	  .default_number = 10000,
	  .min = 1,
	  .max = 100 * 1000 * 1000,
	  .what = "a pace",
	  .want = "from 1/s to 100M/s, like 10k/s" },
	{ .name = "events",
	  .type = &type_pace,
	  MEMBER(struct limiter_config, events_per_second),
	  .default_number = 100,
	  .min = 1,
	  .max = 1000 * 1000,
	  .what = "a pace",
	  .want = "from 1/s to 1M/s, like 100/s" },
};

const struct section section_limiter = {
	SECTION("limiter", limiter_keys, struct limiter_config),
};
