// SPDX-License-Identifier: BSD-2-Clause
/* Finding one's way in the state, and marking as dirty. */
#include "daemon/core/balancer.h"

#include <string.h>

void balancer_wake(struct balancer *balancer)
{
	if (balancer->reconciler)
		fiber_wake(balancer->reconciler);
}

/* One that a change waits for becomes the first of those. A service that does not run yet is dirty
 * as it is.
 */
void balancer_touch(struct service *service)
{
	struct balancer *balancer = service->balancer;

	if (!service->runs)
		return;
	if (service->dirty && service->claimed) {
		TAILQ_REMOVE(&balancer->claimed, service, dirty_link);
		TAILQ_INSERT_HEAD(&balancer->claimed, service, dirty_link);
	} else if (!service->dirty) {
		service->claimed = false;
		TAILQ_INSERT_TAIL(&balancer->touched, service, dirty_link);
	}
	service->dirty = true;
	balancer_wake(balancer);
}

struct service *balancer_service(const struct balancer *balancer, const char *name)
{
	const struct service_config *config =
		balancer->services ? config_find_service(balancer->config, name) : NULL;

	return config ? balancer->services[config - balancer->config->services] : NULL;
}

struct attachment *balancer_attachment(const struct balancer *balancer, const char *name)
{
	for (size_t i = 0; i < balancer->n_attachments; i++)
		if (!strcmp(balancer->attachments[i].name, name))
			return &balancer->attachments[i];
	return NULL;
}
