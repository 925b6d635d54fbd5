/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forgetting the buckets of limited sources.
 */
#ifndef SLUICE_DAEMON_CORE_SOURCES_H
#define SLUICE_DAEMON_CORE_SOURCES_H

#include <stddef.h>

struct balancer;
struct ip;
struct service;

/* Forgets the buckets of a source at the limits of one service, or of all (service
 * NULL): the source may send a full burst again. ip NULL: the one bucket of each limit
 * per service, which all sources share. Returns how many limits had such a bucket.
 */
size_t balancer_forget(struct balancer *balancer, const struct service *service,
		       const struct ip *ip);

#endif
