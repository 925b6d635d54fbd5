// SPDX-License-Identifier: BSD-2-Clause
/* Prefixes as text. An IPv4 address is the last 32 bits of its sixteen bytes
 * (lib/addr.h), so its prefix covers 96 more.
 */
#include "lib/base/prefix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/units.h"

#define MAPPED_BITS 96 /* in front of an IPv4 address */

static const struct sl_addr mapped = { .bytes = { [10] = 0xff, [11] = 0xff } };

static unsigned family_bits(__u8 family)
{
	return family == SL_FAMILY_IPV4 ? 32 : 128;
}

/* Clears what lies behind the prefix; returns whether anything was there. */
static bool cut(struct prefix *prefix)
{
	unsigned first = prefix->bits + 128 - family_bits(prefix->ip.family);
	bool found = false;

	for (unsigned i = first / 8; i < sizeof(prefix->ip.addr.bytes); i++) {
		unsigned keep = i == first / 8 ? first % 8 : 0;
		__u8 rest = prefix->ip.addr.bytes[i] & (0xff >> keep);

		found = found || rest;
		prefix->ip.addr.bytes[i] ^= rest;
	}
	return found;
}

/* An address and as many bits as the text says, if that is not too many to be
 * held. Bits behind the prefix may be there yet.
 */
static int split(const char *text, struct prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix prefix = {};
	char address[ADDR_TEXT_SIZE];
	unsigned long long bits;

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = 0;
	if (ip_parse(address, &prefix.ip) != 0)
		return -EINVAL;
	bits = family_bits(prefix.ip.family);
	if (slash && (strlen(slash) > 4 || number_parse(slash + 1, &bits) != 0))
		return -EINVAL;
	prefix.bits = (unsigned)bits;
	*ret_prefix = prefix;
	return 0;
}

static bool is_too_long(const struct prefix *prefix)
{
	return prefix->bits > family_bits(prefix->ip.family);
}

/* Whether nothing but IPv4 addresses in the form of IPv6 is meant. */
static bool is_mapped(const struct prefix *prefix)
{
	return prefix->ip.family == SL_FAMILY_IPV6 && prefix->bits > MAPPED_BITS &&
	       memcmp(prefix->ip.addr.bytes, mapped.bytes, MAPPED_BITS / 8) == 0;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
	struct prefix prefix;

	if (split(text, &prefix) != 0 || is_too_long(&prefix) || is_mapped(&prefix) || cut(&prefix))
		return -EINVAL;
	*ret_prefix = prefix;
	return 0;
}

const char *prefix_format(const struct prefix *prefix, char buffer[static PREFIX_TEXT_SIZE])
{
	char address[ADDR_TEXT_SIZE];

	(void)snprintf(buffer, PREFIX_TEXT_SIZE, "%s/%u", ip_format(&prefix->ip, address),
		       prefix->bits & 0xff);
	return buffer;
}

/* As people write it, and as it is read. */
const char *prefix_format_short(const struct prefix *prefix, char buffer[static PREFIX_TEXT_SIZE])
{
	return prefix_is_address(prefix) ? ip_format(&prefix->ip, buffer)
					 : prefix_format(prefix, buffer);
}

const char *prefix_fault(const char *text, char buffer[static PREFIX_FAULT_SIZE])
{
	char meant[PREFIX_TEXT_SIZE];
	struct prefix prefix;

	if (split(text, &prefix) != 0)
		return NULL;
	if (is_too_long(&prefix)) {
		(void)snprintf(buffer, PREFIX_FAULT_SIZE,
			       "\"%s\" is too long; a prefix of IPv%u has at most %u bits", text,
			       prefix.ip.family, family_bits(prefix.ip.family));
		return buffer;
	}
	if (is_mapped(&prefix)) {
		prefix.ip.family = SL_FAMILY_IPV4;
		prefix.bits -= MAPPED_BITS;
		(void)cut(&prefix);
		(void)snprintf(buffer, PREFIX_FAULT_SIZE,
			       "\"%s\" is IPv4 in the form of IPv6; did you mean %s?", text,
			       prefix_format_short(&prefix, meant));
		return buffer;
	}
	if (!cut(&prefix))
		return NULL;
	(void)snprintf(buffer, PREFIX_FAULT_SIZE,
		       "\"%s\" has bits behind the prefix; did you mean %s?", text,
		       prefix_format_short(&prefix, meant));
	return buffer;
}

bool prefix_is_address(const struct prefix *prefix)
{
	return prefix->bits == family_bits(prefix->ip.family);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = ip_compare(&a->ip, &b->ip);

	if (order)
		return order;
	return a->bits < b->bits ? -1 : a->bits > b->bits;
}
