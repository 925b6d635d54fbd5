/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IP addresses as text and as the maps hold them (sluice/abi.h).
 */
#ifndef SLUICE_LIB_BASE_ADDR_H
#define SLUICE_LIB_BASE_ADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "sluice/abi.h"

#define ADDR_TEXT_SIZE     46 /* longest address and NUL, as INET6_ADDRSTRLEN */
#define ENDPOINT_TEXT_SIZE 56 /* "[address]:port" and NUL */

/* An address together with its family, which alone tells a mapped IPv6 address
 * from an IPv4 one.
 */
struct ip {
	struct sl_addr addr;
	__u8 family; /* SL_FAMILY_*; 0: none */
};

/* Strict: what inet_pton accepts, nothing around it. 0 or -EINVAL. */
int ip_parse(const char *text, struct ip *ret_ip);

/* Always succeeds; returns buffer. */
const char *ip_format(const struct ip *ip, char buffer[static ADDR_TEXT_SIZE]);

/* "10.0.0.1:80" or "[2001:db8::1]:80"; port in network order; returns buffer. */
const char *endpoint_format(const struct ip *ip, __be16 port,
			    char buffer[static ENDPOINT_TEXT_SIZE]);

bool ip_equal(const struct ip *a, const struct ip *b);

/* memcmp order: family first, then bytes. */
int ip_compare(const struct ip *a, const struct ip *b);

/* Neither unspecified, multicast, nor (IPv4) broadcast: an address that a
 * service or a backend can have.
 */
bool ip_is_unicast(const struct ip *ip);

/* Fills a sockaddr for connect(); port in network order; returns its length. */
socklen_t ip_to_sockaddr(const struct ip *ip, __be16 port, struct sockaddr_storage *ret_sockaddr);

#endif
