// SPDX-License-Identifier: BSD-2-Clause
/* Finding one's way in the state, and marking as dirty. The function that brings up to
 * date is named once, when the balancer starts (balancer->on_dirty).
 */
#include "daemon/core/balancer.h"

#include <string.h>
#include <uv.h>

void balancer_touch(struct service *service)
{
	struct balancer *balancer = service->balancer;

	if (!service->dirty)
		TAILQ_INSERT_TAIL(&balancer->dirty, service, dirty_link);
	service->dirty = true;
	if (!balancer->stopping)
		(void)uv_timer_start(balancer->reconcile, balancer->on_dirty, 0, 0);
}

struct service *balancer_service(const struct balancer *balancer, const char *name)
{
	const struct service_config *config =
		balancer->services ? config_find_service(balancer->config, name) : NULL;

	return config ? &balancer->services[config - balancer->config->services] : NULL;
}

struct attachment *balancer_attachment(const struct balancer *balancer, const char *name)
{
	for (size_t i = 0; i < balancer->n_attachments; i++)
		if (!strcmp(balancer->attachments[i].name, name))
			return &balancer->attachments[i];
	return NULL;
}
