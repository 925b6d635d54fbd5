// SPDX-License-Identifier: BSD-2-Clause
/* An address that a service or a backend can have. */
#include <errno.h>
#include <netinet/in.h>

#include "lib/config/read.h"

const char *config_address_fault(const struct ip *ip)
{
	const struct in6_addr *v6 = (const struct in6_addr *)ip->addr.bytes;
	bool is_v4 = ip->family == SL_FAMILY_IPV4;

	if (!ip_is_unicast(ip))
		return "an unspecified, multicast or broadcast address";
	if (is_v4 ? ip->addr.bytes[12] == 127 : IN6_IS_ADDR_LOOPBACK(v6))
		return "a loopback address";
	if (is_v4)
		return NULL;
	if (IN6_IS_ADDR_V4MAPPED(v6))
		return "an IPv4 address in IPv6 form";
	return IN6_IS_ADDR_LINKLOCAL(v6) ? "a link-local address" : NULL;
}

int read_address(struct reader *reader, const struct node *node, struct ip *ret_ip)
{
	static const char want[] =
		"an IPv4 or IPv6 address alone, like 198.51.100.10 or 2001:db8::10";
	char text[ADDR_TEXT_SIZE];
	const char *fault;
	struct ip ip;

	if (node->kind != NODE_TEXT || ip_parse(node->text, &ip) != 0)
		return node_refuse(reader->diag, node, "an address", want);
	if (ip.family == SL_FAMILY_IPV6 &&
	    IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ip.addr.bytes)) {
		ip.family = SL_FAMILY_IPV4;
		return node_error(reader->diag, node,
				  "\"%s\" is an IPv4 address in IPv6 form; write it as %s",
				  node->text, ip_format(&ip, text));
	}
	fault = config_address_fault(&ip);
	if (fault)
		return node_error(reader->diag, node,
				  "\"%s\" is %s; write one that other machines can reach",
				  node->text, fault);
	*ret_ip = ip;
	return 0;
}
