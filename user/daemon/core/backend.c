// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/backend.h"

#include <stdio.h>
#include <uv.h>

#include "daemon/core/balancer.h"
#include "daemon/health/checks.h"
#include "daemon/nexthop/nexthops.h"

bool backend_serves(const struct backend *backend)
{
	return backend->member;
}

bool backend_is_healthy(const struct backend *backend)
{
	return check_get(backend->check)->up &&
	       nexthop_watch_get(backend->hop)->state == NEXTHOP_RESOLVED;
}

bool backend_is_lacking(const struct backend *backend)
{
	const struct backend_config *config = backend->config;

	if (config->admin_state != ADMIN_UP || !config->weight)
		return false;
	return !backend_is_healthy(backend) || (!config->backup && !backend_serves(backend));
}

unsigned backend_weight_tenths(const struct backend *backend)
{
	unsigned long long slow_start = backend->service->config->slow_start_ms, elapsed;

	if (!backend->slow_since_ms || !slow_start)
		return 10;
	elapsed = uv_now(backend->service->balancer->loop) - backend->slow_since_ms;
	return elapsed < slow_start ? 1 + (unsigned)(9 * elapsed / slow_start) : 10;
}

const char *backend_explain(const struct backend *backend, char *buffer, size_t size)
{
	const struct check_result *result = check_get(backend->check);
	const struct nexthop *hop = nexthop_watch_get(backend->hop);

	buffer[0] = '\0';
	if (backend->config->admin_state != ADMIN_UP)
		(void)snprintf(buffer, size, "%s by the operator",
			       backend->config->admin_state == ADMIN_DRAIN ? "drained"
									   : "disabled");
	else if (hop->state != NEXTHOP_RESOLVED)
		(void)nexthop_explain(hop, &backend->config->ip, buffer, size);
	else if (!result->up)
		(void)snprintf(buffer, size, "down: %s%s%s",
			       result->probed ? result->text : "not checked yet",
			       result->last_ok ? ", but not often enough in a row yet" : "",
			       backend->member ? "; serves all the same, too few others do" : "");
	else if (!backend->config->weight)
		(void)snprintf(buffer, size, "weight 0");
	else if (!backend->member)
		(void)snprintf(buffer, size, "%s",
			       backend->config->backup ? "backup: others serve"
						       : "not in the maps yet");
	return buffer;
}
