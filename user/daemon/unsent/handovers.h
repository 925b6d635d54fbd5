/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies whose device takes no frames from XDP must be left to the kernel, which takes their
 * source, the service's address, for a forged one where rp_filter is on or the address is this
 * machine's own. So the kernel is asked first, for each service's address and each pair of
 * devices that its replies arrive on and leave by; the program hands over what the kernel forwards. A refusal is a
 * problem.
 */
#ifndef SLUICE_DAEMON_UNSENT_HANDOVERS_H
#define SLUICE_DAEMON_UNSENT_HANDOVERS_H

#include "daemon/nexthop/forwards.h"

struct datapath;
struct handovers;
struct nexthops;

/* 0 or -errno. */
int handovers_new(const struct datapath *datapath, const struct nexthops *hops,
		  struct handovers **ret_handovers);

/* Accepts NULL. */
void handovers_free(struct handovers *handovers);

/* A reply, as it is to be sent, has come that the program does not hand over; egress: the
 * device that it should leave by, or 0. now_ms: uv_now(), here and below.
 */
void handovers_meet(struct handovers *handovers, const struct forwarded *reply, unsigned egress,
		    unsigned long long now_ms);

/* Asks the kernel again about all of them: routes, addresses or settings have changed. */
void handovers_review(struct handovers *handovers);

/* Calls `say` for each refusal of which a reply has lately come. */
typedef void handovers_say_fn(void *arg, const char *text);
void handovers_each_problem(const struct handovers *handovers, unsigned long long now_ms,
			    handovers_say_fn *say, void *arg);

#endif
