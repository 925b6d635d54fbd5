// SPDX-License-Identifier: BSD-2-Clause
/* What is dirty. Who brings it up to date is said once, when the balancer starts. */
#include <uv.h>

#include "daemon/core/balancer.h"

void balancer_touch(struct service *service)
{
	struct balancer *balancer = service->balancer;

	if (!service->dirty)
		TAILQ_INSERT_TAIL(&balancer->dirty, service, dirty_link);
	service->dirty = true;
	if (!balancer->stopping)
		(void)uv_timer_start(balancer->reconcile, balancer->on_dirty, 0, 0);
}
