/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is this machine's own: the stations, which are the MAC addresses by which frames reach
 * it, and the IP addresses that it holds or serves. The daemon writes both; the program
 * compares. The exact answer is an entry of a hash map (sl_stations, sl_addresses); in front
 * of each map stands a small table in memory that both sides share, so that almost no packet
 * needs the map.
 */
#ifndef SLUICE_SHARED_OURS_H
#define SLUICE_SHARED_OURS_H

#include <linux/types.h>

#include "sluice/abi/address.h"

/* ---- stations --------------------------------------------------------------- */

/* A station: a frame that arrives on this interface, with these VLAN tags and this destination
 * is for this machine. Tags with the id 0 count as none (IEEE 802.1Q section 6.9.1). It is the
 * key of sl_stations; the value is SL_STATION_*.
 */
struct sl_station {
	__u32 ifindex;
	__u16 vlan;  /* id of the outer tag, 0: the frame has none */
	__u16 inner; /* id of the tag behind it, 0: the frame has none */
	__u8 mac[6];
	__u16 pad; /* zero */
};
_Static_assert(sizeof(struct sl_station) == 16, "sl_station has no holes");

#define SL_STATION_ACTIVE 1
/* The station is that of a virtual router, which another machine is now (VRRP). The kernel would
 * take the frame all the same, and the packet must not have it as its router (RFC 9568 section
 * 6.4.2). Such a station has no word.
 */
#define SL_STATION_STANDBY 2

/* A station as one word, without its interface: the lowest bit of the MAC address's first byte
 * (a group's address) is the word's bit 15, and the VLAN's id, in the order of the host, is the
 * low 15 bits. The same word of a frame has bit 63 set if the frame comes from a group.
 */
#define SL_STATION_SHIFT   15
#define SL_STATION_STACKED 0x7fffU /* in place of the id: the frame has two tags */
#define SL_STATION_NONE    0x7000U /* a word that no frame has */

/* The word of an untagged frame. head: the first 8 bytes of the frame. */
static inline __u64 sl_station_word(__u64 head)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return head << SL_STATION_SHIFT;
#else
	return head >> 16 << SL_STATION_SHIFT | (head >> 8 & 1) << 63;
#endif
}

/* The words that are tried before the map is asked: two for each line. An interface and a VLAN
 * lead to one line. The daemon writes no words where two interfaces that exist share lines.
 */
#define SL_STATION_LINES     1024
#define SL_STATION_LINE_SIZE 2

static inline __u32 sl_station_line(__u32 ifindex, __u64 word)
{
	return (ifindex + (__u32)word) & (SL_STATION_LINES - 1);
}

/* ---- addresses -------------------------------------------------------------- */

/* The key of sl_addresses; the value is SL_ADDRESS_*. */
struct sl_address {
	struct sl_addr addr;
	__u32 family;
	__u32 pad; /* zero */
};
_Static_assert(sizeof(struct sl_address) == 24, "sl_address has no holes");

/* This machine holds the address, or it is the broadcast address of one of its networks; or it
 * is a service's. Packets from such an address come from no client. What is for a service's
 * address that this machine does not hold, and for no service, is unserved.
 */
#define SL_ADDRESS_OWN     1
#define SL_ADDRESS_SERVICE 2

/* Marks of the addresses that share a hash. */
#define SL_MARK_KNOWN    1 /* one of them is in sl_addresses */
#define SL_MARK_UNSERVED 2 /* one of them is a service's and not this machine's own */

#define SL_MARK_BITS     14
#define SL_MARKS         (1 << SL_MARK_BITS)

/* The place of an address among the marks. bits: both halves of it, combined by `^`; of an IPv4
 * address the upper half is 0.
 */
static inline __u32 sl_mark_place(__u64 bits)
{
	return (__u32)(bits * 0x9e3779b97f4a7c15ULL >> (64 - SL_MARK_BITS));
}

/* ---- the tables in shared memory -------------------------------------------- */

/* The data section .data.ours. */
struct sl_ours {
	__u64 stations[SL_STATION_LINES][SL_STATION_LINE_SIZE];
	__u8 marks[SL_MARKS];
	__u64 told; /* 0: no daemon has written stations yet, and all frames are taken */
};

#endif
