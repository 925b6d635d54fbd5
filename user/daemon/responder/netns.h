/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The network namespace that the responder lives in, and the veth that leads there.
 * Inside, every address is local to what comes in over the veth. Nothing on our side routes to it: the program alone sends packets there.
 */
#ifndef SLUICE_DAEMON_RESPONDER_NETNS_H
#define SLUICE_DAEMON_RESPONDER_NETNS_H

#include <net/if.h>

#include "sluice/abi.h"

struct diag;

struct responder_net {
	int ns;                 /* a descriptor; -1: none */
	char name[IF_NAMESIZE]; /* of the veth's end on our side */
	struct sl_hop hop;      /* the way in; ifindex 0: there is no veth */
};

#define RESPONDER_NET_NONE (struct responder_net){ .ns = -1 }

/* 0 or -errno and diag; *ret_net is left alone on failure. */
int responder_net_make(struct diag *diag, struct responder_net *ret_net);

/* Takes all of it away; the namespace goes with the last process in it. Leaves
 * RESPONDER_NET_NONE, and accepts it.
 */
void responder_net_done(struct responder_net *net);

/* A new TCP socket in there that listens, for both families where the machine has IPv6. 0 and a
 * descriptor, or -errno.
 */
int responder_net_listen(const struct responder_net *net, int *ret_listener);

/* This thread goes into a namespace (and so do processes that it starts), and back.
 * 0 and a descriptor that leads back, or -errno.
 */
int responder_net_enter(int ns, int *ret_home);
void responder_net_leave(int home);

#endif
