/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A backend has an address, a next hop and a load; its replies have a return, and a cached
 * route.
 */
#ifndef SLUICE_SHARED_ABI_BACKEND_H
#define SLUICE_SHARED_ABI_BACKEND_H

#include <linux/types.h>

#include "sluice/abi/address.h"
#include "sluice/forwarding.h"

/* The index of no backend: none can serve. */
#define SL_NO_BACKEND 0

/* A next hop. The copy that packets use is never written in place. */
struct sl_hop {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 ifindex; /* the device that carries the frame; never a VLAN device */
	__be16 vlan;   /* VLAN id on that device, 0: untagged */
	__u16 mtu;     /* of the whole route: the longest IP packet */
};
_Static_assert(sizeof(struct sl_hop) == 20, "sl_hop has no holes");

/* A device that takes frames from XDP, in sl_devices by the ifindex that the kernel's routes
 * name. A VLAN device is described by its parent and its id.
 */
struct sl_device {
	__u32 ifindex;
	__be16 vlan; /* 0: untagged */
	__u16 pad;
};
_Static_assert(sizeof(struct sl_device) == 8, "sl_device has no holes");

/* sl_backend.state */
#define SL_BACKEND_HOP       1  /* the index of the copy of hops[] that is in use */
#define SL_BACKEND_SERVES    2  /* its established connections go on */
#define SL_BACKEND_NEW       4  /* it takes new ones */
#define SL_BACKEND_RESPONDER 8  /* it is sluice's own, which answers in the backends' place */
#define SL_BACKEND_ASKED     16 /* peers may be asking it itself, by UDP; the program writes this */

/* A backend of one service; one cache line. All but state and hops is immutable once a slot
 * leads to it; the hop is changed by writing the copy that is not in use, then `state`.
 */
struct sl_backend {
	struct sl_addr addr;
	__be16 port;
	__u8 family;
	__u8 forward; /* enum sl_forward */
	__u32 state;  /* SL_BACKEND_* */
	struct sl_hop hops[2];
};
_Static_assert(sizeof(struct sl_backend) == 64, "a backend is one cache line");

/* nat: devices by which packets of a backend may come in, beside the one of its hop. */
#define SL_ORIGINS 7

struct sl_origin {
	__u32 ifindex; /* 0: none, also while the entry is being written */
	__u32 name;    /* the device that routes name: a bond or team, where ifindex is a member */
	__be16 vlan;   /* 0: untagged */
	__u16 pad;
	__u32 pad2;
};
_Static_assert(sizeof(struct sl_origin) == 16, "sl_origin has no holes");

struct sl_origins {
	struct sl_origin from[SL_ORIGINS];
	/* Where a packet with the backend's address came in last that was not believed; the
	 * program writes.
	 */
	__u32 foreign_ifindex; /* 0: there was none */
	__be16 foreign_vlan;
	__u16 pad;
	__u32 foreign_seen; /* SL_SECONDs */
	__u32 pad2;
};
_Static_assert(sizeof(struct sl_origins) == 128, "origins are two cache lines");

/* sl_return.flags */
#define SL_RETURN_TRACKED 1 /* UDP: all flows of the service are tracked, since long enough */

/* nat: the source of a backend's replies, and the service's address that replaces it. */
struct sl_return {
	struct sl_key key;   /* the backend's address, port, protocol */
	struct sl_addr addr; /* the service's */
	__be16 port;
	__u16 pad;
	__u32 backend; /* index into sl_backends and sl_backend_stat */
	__u32 service; /* index into sl_service_stat */
	__u32 pad2;
	/* 0: all packets of the backend's are replies. */
	union {
		struct {
			/* SL_SECONDs: until then some peer may have a connection with the
			 * backend itself (sl_direct); 0: none has. The program writes.
			 */
			__u32 direct_until;
			__u32 flags; /* SL_RETURN_* */
		};
		__u64 exceptions;
	};
};
_Static_assert(sizeof(struct sl_return) == 64, "a return is one cache line");

/* Most packets that are for no service neither come from a nat backend nor are for one. One byte
 * here says so, by the low bits of the key's place in sl_return_dir: it counts the keys that
 * have the same ones, up to 255, which is never lowered again.
 */
#define SL_RETURN_FILTER (1 << 14)
struct sl_return_filter {
	__u8 keys[SL_RETURN_FILTER];
};

/* nat: the route cache. An entry is the result of the last bpf_fib_lookup() for a client.
 * Each CPU has a table of its own, mapped directly: clients share lines, and a line may
 * hold the route of another client, or none. A route holds as long as the generation is
 * the same, and for a second where no daemon raises it.
 */
struct sl_route {
	struct sl_addr client;
	struct sl_hop hop;
	__u32 ingress;    /* the device that the reply arrived on, by its name for routes */
	__u32 service;    /* sl_return.service of the reply */
	__u32 generation; /* sl_tuning.route_generation, when the kernel was asked */
	__u64 until;      /* ticks of the gate's clock */
	__u32 family;     /* 0: the line is empty */
	__u32 pad;
};
_Static_assert(sizeof(struct sl_route) == 64, "a route is one cache line");

#define SL_ROUTE_BITS 12
#define SL_ROUTES     (1 << SL_ROUTE_BITS)

/* The amount of work that a backend has; in sl_loads, by the backend's index. */
struct sl_load {
	__u32 live;   /* connections; the program counts, the daemon's walk corrects */
	__u32 weight; /* 1 or more */
};
_Static_assert(sizeof(struct sl_load) == 8, "a load is one word");

#endif
