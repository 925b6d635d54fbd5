// SPDX-License-Identifier: BSD-2-Clause
/* The list is the maps' own: nothing of it is kept here. */
#include "daemon/core/denied.h"

#include "daemon/core/balancer.h"

int balancer_deny(struct balancer *balancer, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag)
{
	return datapath_deny(balancer->datapath, prefix, seconds, diag);
}

int balancer_undeny(struct balancer *balancer, const struct prefix *prefix)
{
	return datapath_undeny(balancer->datapath, prefix);
}

int balancer_denied(const struct balancer *balancer, struct denied **ret_denied, size_t *ret_n)
{
	return datapath_denied(balancer->datapath, ret_denied, ret_n);
}
