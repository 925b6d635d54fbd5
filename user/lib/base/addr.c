// SPDX-License-Identifier: BSD-2-Clause
/* IP addresses as text and as the maps hold them. An IPv4 address lies in the
 * last four of the sixteen bytes, behind ::ffff:0:0/96 (RFC 4291 section
 * 2.5.5.2); the family beside it says that it is one.
 */
#include "lib/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

_Static_assert(ADDR_TEXT_SIZE == INET6_ADDRSTRLEN, "room for any address");

#define MAPPED_BYTES 12 /* in front of the IPv4 address */

static const __u8 mapped[MAPPED_BYTES] = { [10] = 0xff, [11] = 0xff };

int ip_parse(const char *text, struct ip *ret_ip)
{
	struct ip ip = {};

	if (inet_pton(AF_INET, text, ip.addr.bytes + MAPPED_BYTES) == 1) {
		memcpy(ip.addr.bytes, mapped, MAPPED_BYTES);
		ip.family = SL_FAMILY_IPV4;
	} else if (inet_pton(AF_INET6, text, ip.addr.bytes) == 1) {
		ip.family = SL_FAMILY_IPV6;
	} else {
		return -EINVAL;
	}
	*ret_ip = ip;
	return 0;
}

const char *ip_format(const struct ip *ip, char buffer[static ADDR_TEXT_SIZE])
{
	const char *text = NULL;

	if (ip->family == SL_FAMILY_IPV4)
		text = inet_ntop(AF_INET, ip->addr.bytes + MAPPED_BYTES, buffer, ADDR_TEXT_SIZE);
	else if (ip->family == SL_FAMILY_IPV6)
		text = inet_ntop(AF_INET6, ip->addr.bytes, buffer, ADDR_TEXT_SIZE);
	if (!text)
		(void)snprintf(buffer, ADDR_TEXT_SIZE, "none");
	return buffer;
}

const char *endpoint_format(const struct ip *ip, __be16 port,
			    char buffer[static ENDPOINT_TEXT_SIZE])
{
	char address[ADDR_TEXT_SIZE];
	const char *format = ip->family == SL_FAMILY_IPV6 ? "[%s]:%u" : "%s:%u";

	(void)snprintf(buffer, ENDPOINT_TEXT_SIZE, format, ip_format(ip, address), ntohs(port));
	return buffer;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));
}

bool ip_is_unicast(const struct ip *ip)
{
	static const struct sl_addr unspecified;
	const __u8 *bytes = ip->addr.bytes;
	__u32 host;

	if (ip->family == SL_FAMILY_IPV6)
		return bytes[0] != 0xff && memcmp(bytes, &unspecified, sizeof(unspecified)) != 0;
	if (ip->family != SL_FAMILY_IPV4)
		return false;
	host = ntohl(ip->addr.words[3]);
	return host != INADDR_ANY && host != INADDR_BROADCAST && !IN_MULTICAST(host);
}

socklen_t ip_to_sockaddr(const struct ip *ip, __be16 port, struct sockaddr_storage *ret_sockaddr)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_sockaddr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_sockaddr;

	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	if (ip->family == SL_FAMILY_IPV4) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		memcpy(&v4->sin_addr, ip->addr.bytes + MAPPED_BYTES, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = port;
	memcpy(&v6->sin6_addr, ip->addr.bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}
