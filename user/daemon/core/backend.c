// SPDX-License-Identifier: BSD-2-Clause
/* One backend of a running service: what it gets, and why. Only reads. */
#include "daemon/core/backend.h"

#include <stdio.h>
#include <uv.h>

#include "daemon/core/balancer.h"
#include "daemon/datapath/datapath.h"
#include "daemon/health/checks.h"
#include "daemon/nexthop/nexthops.h"
#include "lib/balance/plan.h"

bool backend_serves(const struct backend *backend)
{
	return backend->member;
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
	const struct hop *hop = hop_watch_get(backend->hop);

	buffer[0] = '\0';
	if (backend->config->admin_state != ADMIN_UP)
		(void)snprintf(buffer, size, "%s by the operator",
			       backend->config->admin_state == ADMIN_DRAIN ? "drained"
									   : "disabled");
	else if (hop->state != HOP_RESOLVED)
		(void)hop_explain(hop, &backend->config->ip, buffer, size);
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

unsigned backend_live(const struct backend *backend)
{
	const struct service_config *config = backend->service->config;
	struct sl_key backend_key = plan_backend_key(config, backend->config);
	unsigned live = 0;

	for (size_t i = 0; i < config->n_addresses; i++) {
		struct sl_key key = plan_service_key(config, &config->addresses[i]);

		live += datapath_backend_live(backend->service->balancer->datapath, &key,
					      &backend_key);
	}
	return live;
}
