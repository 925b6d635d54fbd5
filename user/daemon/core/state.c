// SPDX-License-Identifier: BSD-2-Clause
/* What is dirty. Who brings it up to date is said once, when the server starts. */
#include <uv.h>

#include "daemon/core/server.h"

void server_touch(struct service *service)
{
	struct server *server = service->server;

	if (!service->dirty)
		TAILQ_INSERT_TAIL(&server->dirty, service, dirty_link);
	service->dirty = true;
	if (!server->stopping)
		(void)uv_timer_start(server->reconcile, server->on_dirty, 0, 0);
}
