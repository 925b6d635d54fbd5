// SPDX-License-Identifier: BSD-2-Clause
/* What is in a netlink message. Invariant: no attribute is read before its
 * length has been checked, and none that reaches past its message is seen.
 */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/netlink/netlink.h"

#define IPV4_LENGTH 4
#define IPV6_LENGTH 16

/* Not libmnl's loop, which rounds a message's length up. */
void netlink_attributes(const void *payload, size_t length, __u16 max,
			const struct nlattr **ret_attrs)
{
	const struct nlattr *attr;
	const char *end;

	memset(ret_attrs, 0, (max + 1) * sizeof(*ret_attrs));
	if (!length) /* payload may be NULL, to which C adds nothing, not even 0 */
		return;
	end = (const char *)payload + length;
	for (attr = payload; mnl_attr_ok(attr, (int)(end - (const char *)attr));
	     attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) <= max)
			ret_attrs[mnl_attr_get_type(attr)] = attr;
}

/* Headers are multiples of four, so the attributes begin where they end. */
bool netlink_attrs(const struct nlmsghdr *message, size_t header, __u16 max,
		   const struct nlattr **ret_attrs)
{
	const char *payload = mnl_nlmsg_get_payload(message);
	const size_t length = mnl_nlmsg_get_payload_len(message);

	if (length < header)
		return false;
	netlink_attributes(payload + header, length - header, max, ret_attrs);
	return true;
}

void netlink_nested(const struct nlattr *nest, __u16 max, const struct nlattr **ret_attrs)
{
	if (nest)
		netlink_attributes(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), max,
				   ret_attrs);
	else
		netlink_attributes(NULL, 0, max, ret_attrs);
}

bool netlink_get_u16(const struct nlattr *attr, __u16 *ret_value)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U16) < 0)
		return false;
	*ret_value = mnl_attr_get_u16(attr);
	return true;
}

bool netlink_get_u32(const struct nlattr *attr, __u32 *ret_value)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return false;
	*ret_value = mnl_attr_get_u32(attr);
	return true;
}

bool netlink_get_u64(const struct nlattr *attr, __u64 *ret_value)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U64) < 0)
		return false;
	*ret_value = mnl_attr_get_u64(attr);
	return true;
}

bool netlink_get_mac(const struct nlattr *attr, __u8 ret_mac[static 6])
{
	if (!attr || mnl_attr_get_payload_len(attr) != 6)
		return false;
	memcpy(ret_mac, mnl_attr_get_payload(attr), 6);
	return true;
}

bool netlink_get_text(const struct nlattr *attr, const char **ret_text)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return false;
	*ret_text = mnl_attr_get_str(attr);
	return true;
}

static bool take_ip(const void *bytes, size_t length, int af, struct ip *ret_ip)
{
	struct ip ip = {};

	if (af == AF_INET && length == IPV4_LENGTH) {
		ip.family = SL_FAMILY_IPV4;
		ip.addr.bytes[10] = ip.addr.bytes[11] = 0xff;
		memcpy(&ip.addr.words[3], bytes, IPV4_LENGTH);
	} else if (af == AF_INET6 && length == IPV6_LENGTH) {
		ip.family = SL_FAMILY_IPV6;
		memcpy(ip.addr.bytes, bytes, IPV6_LENGTH);
	} else {
		return false;
	}
	*ret_ip = ip;
	return true;
}

bool netlink_get_ip(const struct nlattr *attr, int af, struct ip *ret_ip)
{
	return attr &&
	       take_ip(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), af, ret_ip);
}

bool netlink_get_via(const struct nlattr *attr, struct ip *ret_ip)
{
	const struct rtvia *via;

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(*via))
		return false;
	via = mnl_attr_get_payload(attr);
	return take_ip(via->rtvia_addr, mnl_attr_get_payload_len(attr) - sizeof(*via),
		       via->rtvia_family, ret_ip);
}

void netlink_put_ip(struct nlmsghdr *request, __u16 type, const struct ip *ip)
{
	if (ip->family == SL_FAMILY_IPV4)
		mnl_attr_put(request, type, IPV4_LENGTH, &ip->addr.words[3]);
	else
		mnl_attr_put(request, type, IPV6_LENGTH, ip->addr.bytes);
}

int netlink_af(const struct ip *ip)
{
	return ip->family == SL_FAMILY_IPV4 ? AF_INET : AF_INET6;
}
