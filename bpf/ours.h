/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * What is this machine's: whether a frame was sent to it, and whether a source address can be
 * a client's. Most packets are settled by words in memory; the others by the maps, which are
 * exact (include/sluice/ours.h).
 */
#ifndef SLUICE_BPF_OURS_H
#define SLUICE_BPF_OURS_H

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "sluice/ours.h"

/* ---- frames ----------------------------------------------------------------- */

/* What the map says of the frame's destination: SL_STATION_*; 0: it is no station. A function of
 * its own to the verifier: the few frames that come here are read once more.
 */
__noinline int ours_station(struct xdp_md *xdp)
{
	struct sl_station key = {};
	struct ethhdr *ethernet = packet_ethernet(xdp);
	struct vlan_tag *tag;
	__u32 *found;
	__be16 proto;

	if (!sl_ours.told)
		return SL_STATION_ACTIVE;
	if (!ethernet || ethernet->h_source[0] & 1)
		return 0;
	key.ifindex = xdp->ingress_ifindex;
	__builtin_memcpy(key.mac, ethernet->h_dest, sizeof(key.mac));
	proto = ethernet->h_proto;
#pragma unroll
	for (int i = 0; i < PARSE_VLAN_TAGS; i++) {
		__u16 id;

		if (!parse_is_tag(proto))
			break;
		tag = packet_bytes(xdp, sizeof(*ethernet) + i * sizeof(*tag), sizeof(*tag));
		if (!tag)
			return 0;
		id = bpf_ntohs(tag->tci) & PARSE_VLAN_ID;
		if (key.vlan)
			key.inner = id;
		else
			key.vlan = id;
		proto = tag->proto;
	}
	found = bpf_map_lookup_elem(&sl_stations, &key);
	return found ? *found : 0;
}

/* Passes a frame that was not sent to this machine, here: the kernel knows what to do with it.
 * But what was sent to a virtual router that another machine is now, the kernel would route, and a
 * backend's reply would reach its client as the backend's own.
 */
static __always_inline enum sl_verdict check_frame(struct xdp_md *xdp,
						   const struct sl_packet *packet)
{
	__u32 line = sl_station_line(xdp->ingress_ifindex, packet->station);

	if (likely(sl_ours.stations[line][0] == packet->station) ||
	    sl_ours.stations[line][1] == packet->station)
		return SL_NEXT;
	switch (ours_station(xdp)) {
	case 0:
		return SL_PASS_FOREIGN_FRAME;
	case SL_STATION_STANDBY:
		return SL_DROP_STANDBY;
	}
	return SL_NEXT;
}

/* ---- addresses -------------------------------------------------------------- */

/* First bytes of IPv4 addresses that no client has: "this network", loopback, multicast
 * (RFC 6890 section 2.2.2, RFC 1112 section 4); of those that begin with 255, it is the
 * broadcast address alone.
 */
static const __u8 ours_no_client[256] = {
	[0] = 1,   [127] = 1, [224] = 1, [225] = 1, [226] = 1, [227] = 1, [228] = 1,
	[229] = 1, [230] = 1, [231] = 1, [232] = 1, [233] = 1, [234] = 1, [235] = 1,
	[236] = 1, [237] = 1, [238] = 1, [239] = 1, [255] = 2,
};

/* What sl_addresses says of an address, given by its halves: SL_ADDRESS_*; 0: it is not there. A
 * function of its own to the verifier.
 */
__noinline int ours_address(__u64 upper, __u64 lower, __u32 family)
{
	struct sl_address key = { .addr = { .halves = { upper, lower } }, .family = family };
	__u32 *found = bpf_map_lookup_elem(&sl_addresses, &key);

	return found ? *found : 0;
}

static __always_inline __u32 ours_marks(__u64 bits)
{
	return sl_ours.marks[sl_mark_place(bits)];
}

/* Whether no client can have the address. Of IPv6, that is the group addresses, and all that
 * begin with 64 zeros: "unspecified", loopback, IPv4 addresses (RFC 4291 sections 2.5 and 2.7).
 */
static __always_inline bool address_is_martian(const struct sl_addr *addr, bool ipv6)
{
	return ipv6 ? !addr->halves[0] || addr->bytes[0] == 0xff
		    : ours_no_client[addr->bytes[12]] == 1 || addr->words[3] == 0xffffffffU;
}

/* Whether the source, which looks odd, is one that no client has. */
static __always_inline bool source_is_martian(const struct sl_packet *packet)
{
	const struct sl_addr *source = &packet->source;

	return address_is_martian(source, packet_is_ipv6(packet)) ||
	       ours_address(source->halves[0], source->halves[1], packet->destination.family);
}

/* Drops a packet of a service whose source address is no client's: a martian (RFC 1812 section
 * 5.3.7), this machine's own, or a service's.
 */
static __always_inline enum sl_verdict check_source(const struct sl_packet *packet)
{
	const struct sl_addr *source = &packet->source;
	__u64 bits = source->halves[1];
	__u32 odd;

	if (packet_is_ipv6(packet)) {
		bits ^= source->halves[0];
		odd = !source->halves[0] | (source->bytes[0] == 0xff);
	} else {
		odd = *(const volatile __u8 *)&ours_no_client[source->bytes[12]];
	}
	odd |= ours_marks(bits);
	if (unlikely(odd) && source_is_martian(packet))
		return SL_DROP_MARTIAN;
	return SL_NEXT;
}

#endif
