/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is this machine's own, and what it serves: the program is told of the MAC addresses by
 * which frames reach this machine, of the IP addresses that it holds, and of the services'.
 */
#ifndef SLUICE_DAEMON_CORE_OURS_H
#define SLUICE_DAEMON_CORE_OURS_H

#include <stddef.h>

struct balancer;
struct config;
struct ip;
struct ours;

/* Tells the program, and goes on telling what changes. 0 or -ENOMEM. */
int ours_new(struct balancer *balancer, struct ours **ret_ours);

/* Accepts NULL. */
void ours_free(struct ours *ours);

/* From now on, these services' addresses are the ones that are served. 0, or -ENOMEM: they are
 * those that were.
 */
int ours_serve(struct balancer *balancer, const struct config *config);

/* The services' addresses for which the kernel has a route that leads away: while sluice does
 * not run, it sends packets to them on.
 */
typedef void ours_address_fn(void *arg, const struct ip *ip);
void ours_each_routed(const struct balancer *balancer, ours_address_fn *each, void *arg);

#endif
