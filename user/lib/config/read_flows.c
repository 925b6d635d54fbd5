// SPDX-License-Identifier: BSD-2-Clause
/* The keys that are of the whole machine: hash_seed and flows. */
#include <errno.h>
#include <string.h>

#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"
#include "sluice/hash.h"

#define SEED_TEXT_MAX 128 /* bytes */

/* "0x" and 1 to 16 digits of either case. */
static int parse_hex(const char *text, unsigned long long *ret_value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	unsigned long long value = 0;
	size_t length = strlen(text);

	if (length < 3 || length > 18 || text[0] != '0' || text[1] != 'x')
		return -EINVAL;
	for (size_t i = 2; i < length; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return -EINVAL;
		value = value << 4 | ((unsigned)(digit - digits) & 15);
	}
	*ret_value = value;
	return 0;
}

__u64 config_seed_of_text(const char *text, size_t length)
{
	__u64 h = sl_hash_mix(length);

	for (size_t i = 0; i < length; i += 8) {
		__u64 chunk = 0;
		size_t byte;

		for (byte = 0; byte < 8 && i + byte < length; byte++)
			chunk |= (__u64)(unsigned char)text[i + byte] << 8 * byte;
		h = sl_hash_mix(h ^ chunk);
	}
	return h;
}

static int read_seed(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	unsigned long long seed;
	bool is_word;

	/* What begins like a number must be one: a digit too many is a mistake. */
	is_word = node->kind == NODE_TEXT && node->length && node->length <= SEED_TEXT_MAX &&
		  ((node->text[0] >= 'a' && node->text[0] <= 'z') ||
		   (node->text[0] >= 'A' && node->text[0] <= 'Z'));
	if (is_word)
		seed = config_seed_of_text(node->text, node->length);
	else if (node->kind != NODE_TEXT ||
		 (number_parse(node->text, &seed) != 0 && parse_hex(node->text, &seed) != 0))
		return node_refuse(reader->diag, node, key->what, key->want);
	key_set_number(key, object, seed);
	return 0;
}

static void emit_seed(struct writer *writer, const struct key *key, const void *object)
{
	emit_format(&writer->emit, "0x%016llx", key_number(key, object));
}

const struct type type_seed = {
	.size = sizeof(__u64),
	.read = read_seed,
	.emit = emit_seed,
};

static const struct key flows_keys[] = {
	{ .name = "size",
	  .type = &type_count,
	  MEMBER(struct flows_config, size),
	  .default_number = SL_DEFAULT_FLOWS,
	  .min = 1024,
	  .max = 1 << 26,
	  .what = "a count of flows",
	  .want = "from 1024 to 67108864, like 500k" },
	{ .name = "tcp_idle",
	  .type = &type_duration,
	  MEMBER(struct flows_config, tcp_idle_ms),
	  .default_number = 15 * 60 * 1000,
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "an idle time",
	  .want = "from 1s to 24h, like 15m" },
	{ .name = "tracked_idle",
	  .type = &type_duration,
	  MEMBER(struct flows_config, tracked_idle_ms),
	  .default_number = 135 * 60 * 1000,
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "an idle time",
	  .want = "from 1s to 24h, like 135m" },
	{ .name = "udp_idle",
	  .type = &type_duration,
	  MEMBER(struct flows_config, udp_idle_ms),
	  .default_number = 30 * 1000,
	  .min = 1000,
	  .max = 3600 * 1000,
	  .what = "an idle time",
	  .want = "from 1s to 1h, like 30s" },
};

const struct section section_flows = { SECTION("flows", flows_keys, struct flows_config) };
