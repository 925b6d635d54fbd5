/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Prefixes of IP addresses: "192.0.2.0/24", or an address alone.
 */
#ifndef SLUICE_LIB_BASE_PREFIX_H
#define SLUICE_LIB_BASE_PREFIX_H

#include "lib/base/addr.h"

#define PREFIX_TEXT_SIZE (ADDR_TEXT_SIZE + 4) /* with "/128" */

/* An address with as many leading bits as count; the others are 0. */
struct prefix {
	struct ip ip;
	unsigned bits; /* IPv4: 0 to 32, IPv6: 0 to 128 */
};

/* "192.0.2.0/24", or an address alone. Strict: bits behind the prefix are 0, and
 * no IPv4 address or prefix in the form of IPv6 but ::ffff:0:0/96 itself (that is
 * none of IPv4: IPv6 packets from there are meant). 0 or -EINVAL.
 */
int prefix_parse(const char *text, struct prefix *ret_prefix);

/* And back, "192.0.2.7/32" too; returns buffer. */
const char *prefix_format(const struct prefix *prefix, char buffer[static PREFIX_TEXT_SIZE]);

/* The same, but of a single address that address alone. */
const char *prefix_format_short(const struct prefix *prefix, char buffer[static PREFIX_TEXT_SIZE]);

#define PREFIX_FAULT_SIZE 160

/* What is wrong with a text that prefix_parse() refuses, where it is one but for
 * that: `"192.0.2.7/24" has bits behind the prefix; did you mean 192.0.2.0/24?`.
 * Printable ASCII, and buffer; or NULL: it is not at all a prefix.
 */
const char *prefix_fault(const char *text, char buffer[static PREFIX_FAULT_SIZE]);

/* Whether all its bits count: an address alone. */
bool prefix_is_address(const struct prefix *prefix);

/* By family, address, length. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

#endif
