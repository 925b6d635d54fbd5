// SPDX-License-Identifier: BSD-2-Clause
/* The keys of forwarding by ipip: what its outer packets look like. */
#include <arpa/inet.h>

#include "lib/config/read.h"

/* A prefix of the family that the longest has so many bits of. */
static int read_source(struct reader *reader, const struct key *key, const struct node *node,
		       void *target)
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
	*(struct prefix *)target = prefix;
	return 0;
}

static const struct key ipip_keys[] = {
	{ .name = "source_v4",
	  .read = read_source,
	  .offset = offsetof(struct ipip_config, source_v4),
	  .min = 8,
	  .max = 32,
	  .what = "a prefix of IPv4 sources",
	  .want = "of 8 to 32 bits, like 172.16.0.0/16" },
	{ .name = "source_v6",
	  .read = read_source,
	  .offset = offsetof(struct ipip_config, source_v6),
	  .min = 16,
	  .max = 128,
	  .what = "a prefix of IPv6 sources",
	  .want = "of 16 to 128 bits, like 100::/64" },
};

static const struct section ipip_section = SECTION("ipip", ipip_keys);

struct ipip_config config_default_ipip(void)
{
	struct ipip_config defaults = {
		.source_v4 = { .ip.family = SL_FAMILY_IPV4, .bits = SL_DEFAULT_OUTER_V4_BITS },
		.source_v6 = { .ip.family = SL_FAMILY_IPV6, .bits = SL_DEFAULT_OUTER_V6_BITS },
	};

	defaults.source_v4.ip.addr.words[2] = htonl(0xffff);
	defaults.source_v4.ip.addr.words[3] = htonl(SL_DEFAULT_OUTER_V4);
	defaults.source_v6.ip.addr.words[0] = htonl(SL_DEFAULT_OUTER_V6);
	return defaults;
}

int read_ipip(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	(void)key;
	if (node_is_empty(node))
		return 0;
	return read_section(&ipip_section, reader, node, target);
}
