// SPDX-License-Identifier: BSD-2-Clause
/* The keys of forwarding by ipip: what its outer packets look like. */
#include <asm/byteorder.h>

#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

/* A prefix of IPv4 where the key's max is 32 bits, and else of IPv6. */
static int read_source(struct reader *reader, const struct key *key, const struct node *node,
		       void *object)
{
	__u8 family = key->max == 32 ? SL_FAMILY_IPV4 : SL_FAMILY_IPV6;
	char buffer[PREFIX_FAULT_SIZE];
	struct prefix prefix;
	const char *fault;

	if (node->kind != NODE_TEXT || prefix_parse(node->text, &prefix) != 0) {
		fault = node->kind == NODE_TEXT ? prefix_fault(node->text, buffer) : NULL;
		return fault ? node_error(reader->diag, node, "%s", fault)
			     : node_refuse(reader->diag, node, key->what, key->want);
	}
	if (prefix.ip.family != family || prefix.bits < key->min)
		return node_refuse(reader->diag, node, key->what, key->want);
	fault = config_address_fault(&prefix.ip);
	if (fault)
		return node_error(reader->diag, node, "\"%s\" is %s; no packet comes from there",
				  node->text, fault);
	*(struct prefix *)key_target(key, object) = prefix;
	return 0;
}

static void emit_source(struct writer *writer, const struct key *key, const void *object)
{
	char text[PREFIX_TEXT_SIZE];

	emit_text(&writer->emit, prefix_format(key_value(key, object), text));
}

static bool equal_source(const struct key *key, const void *a, const void *b)
{
	return prefix_compare(key_value(key, a), key_value(key, b)) == 0;
}

static const struct type type_source = {
	.size = sizeof(struct prefix),
	.read = read_source,
	.emit = emit_source,
	.equal = equal_source,
};

static const struct prefix default_v4 = {
	.ip = { .family = SL_FAMILY_IPV4,
		.addr.words = { [2] = __constant_htonl(0xffff),
				[3] = __constant_htonl(SL_DEFAULT_OUTER_V4) } },
	.bits = SL_DEFAULT_OUTER_V4_BITS,
};

static const struct prefix default_v6 = {
	.ip = { .family = SL_FAMILY_IPV6, .addr.words = { __constant_htonl(SL_DEFAULT_OUTER_V6) } },
	.bits = SL_DEFAULT_OUTER_V6_BITS,
};

static const struct key ipip_keys[] = {
	{ .name = "source_v4",
	  .type = &type_source,
	  MEMBER(struct ipip_config, source_v4),
	  .default_bytes = &default_v4,
	  .min = 8,
	  .max = 32,
	  .what = "a prefix of IPv4 sources",
	  .want = "of 8 to 32 bits, like 172.16.0.0/16" },
	{ .name = "source_v6",
	  .type = &type_source,
	  MEMBER(struct ipip_config, source_v6),
	  .default_bytes = &default_v6,
	  .min = 16,
	  .max = 128,
	  .what = "a prefix of IPv6 sources",
	  .want = "of 16 to 128 bits, like 100::/64" },
};

const struct section section_ipip = { SECTION("ipip", ipip_keys, struct ipip_config) };
