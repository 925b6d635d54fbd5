/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looks an address up in a prefix list. Pure. A list is sorted, and its prefixes have no
 * bits behind their length: of each length only one can hold the address, and that one is
 * looked up.
 */
#include "daemon/api/view/prefix_match.h"

#include <stdlib.h>

#include "lib/config/config.h"

static unsigned family_bits(const struct ip *ip)
{
	return ip->family == SL_FAMILY_IPV4 ? 32 : 128;
}

/* The address cut to its first bits, as a prefix of that length. */
static struct prefix cut(const struct ip *ip, unsigned bits)
{
	struct prefix prefix = { *ip, bits };
	unsigned keep = 128 - family_bits(ip) + bits; /* an IPv4 address is the last 32 bits */

	for (unsigned i = 0; i < sizeof(prefix.ip.addr.bytes); i++)
		if (8 * i + 8 > keep)
			prefix.ip.addr.bytes[i] &=
				8 * i >= keep ? 0 : (__u8)(0xff00 >> (keep - 8 * i));
	return prefix;
}

bool view_covers(const struct prefix *prefix, const struct ip *ip)
{
	struct prefix same;

	if (prefix->ip.family != ip->family || prefix->bits > family_bits(ip))
		return false;
	same = cut(ip, prefix->bits);
	return ip_equal(&same.ip, &prefix->ip);
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

const struct prefix *view_longest(const struct prefix_list *list, const struct ip *ip)
{
	for (unsigned bits = family_bits(ip) + 1; list->n && bits--;) {
		struct prefix key = cut(ip, bits);
		const struct prefix *found =
			bsearch(&key, list->prefixes, list->n, sizeof(key), compare);

		if (found)
			return found;
	}
	return NULL;
}
