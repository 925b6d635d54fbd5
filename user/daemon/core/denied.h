/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The prefixes that the operator denies at run time, beside those of the
 * configuration.
 */
#ifndef SLUICE_DAEMON_CORE_DENIED_H
#define SLUICE_DAEMON_CORE_DENIED_H

#include <stddef.h>

#include "daemon/datapath/denied.h"

struct balancer;
struct denial;
struct diag;

/* seconds: until it is lifted, as denial->ends_ms says; 0: never. A prefix that is denied
 * already gets this time. 0, or -errno and diag. -EIO: it cannot be kept.
 */
int balancer_deny(struct balancer *balancer, const struct denial *denial, unsigned seconds,
		  struct diag *diag);

/* 0, or -errno and diag. -ENOENT: the prefix is not denied at run time. -EIO: that cannot be
 * kept.
 */
int balancer_undeny(struct balancer *balancer, const struct prefix *prefix, struct diag *diag);

/* The maps come to hold the balancer's list. 0 or -errno and diag. */
int balancer_denied_put(struct balancer *balancer, struct diag *diag);

/* *ret_denied is the caller's to free; sorted by prefix_compare(). 0 or -ENOMEM. */
int balancer_denied(const struct balancer *balancer, struct denied **ret_denied, size_t *ret_n);

/* The denial of this very prefix, or NULL. */
const struct denial *balancer_denial(const struct balancer *balancer, const struct prefix *prefix);

/* At the start: the maps and the state file come to hold the same. */
int balancer_denied_start(struct balancer *balancer, struct diag *diag);

/* By the clock, once a second. */
void balancer_denied_tick(struct balancer *balancer);

#endif
