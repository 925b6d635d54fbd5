// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service's limit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_read.h"
#include "lib/units.h"

/* What the file says, before it is turned into ticks. */
struct limit_text {
	struct limit_config *limit;
	struct rate rate;
	int word; /* of a key that has but one value yet */
};

static int read_rate(struct reader *reader, const struct key *key, const struct node *node,
		     void *target)
{
	struct limit_text *text = target;

	if (node->kind != NODE_TEXT || rate_parse(node->text, &text->rate) != 0)
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, &text->limit->text);
}

static int read_burst(struct reader *reader, const struct key *key, const struct node *node,
		      void *target)
{
	struct limit_text *text = target;

	if (node->kind != NODE_TEXT || count_parse(node->text, &text->limit->burst) != 0 ||
	    !text->limit->burst)
		return node_refuse(reader->diag, node, key->what, key->want);
	return 0;
}

static const struct word count_words[] = {
	{ "packets", 0 },
	{ "bytes", WORD_LATER },
	{ "connections", WORD_LATER },
	{},
};

static const struct word algorithm_words[] = {
	{ "token-bucket", 0 },
	{ "fixed-window", WORD_LATER },
	{ "sliding-window", WORD_LATER },
	{},
};

static const struct word action_words[] = {
	{ "drop", 0 },
	{ "reject", WORD_LATER },
	{ "respond", WORD_LATER },
	{},
};

static const struct key limit_keys[] = {
	{ .name = "rate",
	  .required = true,
	  .read = read_rate,
	  .what = "a rate",
	  .want = "a number per s, min or h, like 1000/s, 10k/s or 60/min" },
	{ .name = "burst",
	  .read = read_burst,
	  .what = "a count of packets",
	  .want = "1 or more, like 2000 or 2k" },
	{ .name = "count",
	  .read = read_word,
	  .offset = offsetof(struct limit_text, word),
	  .what = "what can be counted",
	  .words = count_words },
	{ .name = "algorithm",
	  .read = read_word,
	  .offset = offsetof(struct limit_text, word),
	  .what = "an algorithm",
	  .words = algorithm_words },
	{ .name = "action",
	  .read = read_word,
	  .offset = offsetof(struct limit_text, word),
	  .what = "an action",
	  .words = action_words },
};

static const struct section limit_section = SECTION("a limit", limit_keys);

int read_limit(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	struct limit_config *limit = target;
	struct limit_text text = { .limit = limit };
	unsigned long long most;
	int err;

	(void)key;
	err = read_section(&limit_section, reader, node, &text);
	if (err)
		return err;
	most = rate_max_burst(&text.rate);
	if (!most)
		return node_error(reader->diag, node_get(node, "rate"),
				  "\"%s\" is more than can be told apart; at most 16000M/s",
				  limit->text);
	if (!limit->burst)
		limit->burst = rate_default_burst(&text.rate);
	err = rate_to_ticks(&text.rate, limit->burst, &limit->rate);
	if (err)
		return node_error(reader->diag, node_get(node, "burst"),
				  "%llu is more than a bucket holds at %s; at most %llu",
				  limit->burst, limit->text, most);
	limit->set = true;
	return 0;
}
