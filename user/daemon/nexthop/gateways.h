/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The gateways of all routes are kept resolved, for nexthop/ alone: a reply to a client behind
 * one that was not would have to wait. The kernel's routes, which may be a million, are read in
 * steps, and not again before a rest that is many times longer than the reading took.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_GATEWAYS_H
#define SLUICE_DAEMON_NEXTHOP_GATEWAYS_H

struct diag;
struct gateways;
struct links;
struct neighbours;
struct uv_loop_s;

/* What gateways are made from; outlives them. */
struct gateways_needs {
	struct uv_loop_s *loop;
	struct neighbours *neighbours;
	const struct links *links;
	void (*tend)(void *arg); /* to be called after neighbours came into use */
	void *arg;
};

/* 0 or -errno and diag. The first reading begins at once. */
int gateways_new(const struct gateways_needs *needs, struct diag *diag,
		 struct gateways **ret_gateways);

/* The memory goes when the loop has run. Accepts NULL. */
void gateways_free(struct gateways *gateways);

/* Routes have changed: they are read again soon. Accepts NULL. */
void gateways_review(struct gateways *gateways);

#endif
