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
struct diag;

/* seconds: until it is lifted; 0: never. A prefix that is denied already gets this
 * time. 0 or -errno and diag.
 */
int balancer_deny(struct balancer *balancer, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag);

/* 0 or -errno. -ENOENT: the prefix is not denied at run time. */
int balancer_undeny(struct balancer *balancer, const struct prefix *prefix);

/* *ret_denied is the caller's to free; sorted by prefix_compare(). 0 or -ENOMEM. */
int balancer_denied(const struct balancer *balancer, struct denied **ret_denied, size_t *ret_n);

#endif
