// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/unsent/fragments.h"

#include <arpa/inet.h>
#include <linux/types.h>
#include <netinet/ip.h>
#include <string.h>

#define UNIT 8 /* bytes; an offset counts in them */

bool fragments_begin(struct fragments *fragments, const void *packet, size_t length, size_t mtu)
{
	const struct iphdr *ip = packet;
	size_t header;

	if (length < sizeof(*ip) || ip->version != 4 || ip->frag_off)
		return false;
	header = (size_t)ip->ihl * 4;
	if (header < sizeof(*ip) || ntohs(ip->tot_len) != length || length <= header ||
	    mtu < header + UNIT || mtu > FRAGMENT_MAX)
		return false;
	*fragments = (struct fragments){
		.packet = packet,
		.length = length,
		.header = header,
		.share = (mtu - header) / UNIT * UNIT,
	};
	return true;
}

/* Options without the copied flag stand in the first fragment alone (RFC 791 section 3.1): here
 * "no operation" takes their place, so that all headers have one length. Malformed ones stay.
 */
static void blank_options(unsigned char *header, size_t length)
{
	size_t at = sizeof(struct iphdr), size;

	for (; at < length && header[at] != IPOPT_EOL; at += size) {
		size = header[at] == IPOPT_NOP ? 1 : at + 1 < length ? header[at + 1] : 0;
		if (!size || size > length - at || (size == 1 && header[at] != IPOPT_NOP))
			return;
		if (!IPOPT_COPIED(header[at]))
			memset(header + at, IPOPT_NOP, size);
	}
}

static __u16 checksum(const unsigned char *header, size_t length)
{
	__u32 sum = 0;

	for (size_t i = 0; i < length; i += 2)
		sum += (__u32)header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((__u16)~sum);
}

size_t fragments_next(struct fragments *fragments, unsigned char fragment[static FRAGMENT_MAX])
{
	size_t left = fragments->length - fragments->header - fragments->at;
	size_t share = left < fragments->share ? left : fragments->share;
	struct iphdr *ip = (void *)fragment;

	if (!left)
		return 0;
	memcpy(fragment, fragments->packet, fragments->header);
	memcpy(fragment + fragments->header, fragments->packet + fragments->header + fragments->at,
	       share);
	if (fragments->at)
		blank_options(fragment, fragments->header);
	ip->tot_len = htons((__u16)(fragments->header + share));
	ip->frag_off = htons((__u16)(fragments->at / UNIT | (share < left ? IP_MF : 0)));
	ip->check = 0;
	ip->check = checksum(fragment, fragments->header);
	fragments->at += share;
	return fragments->header + share;
}
