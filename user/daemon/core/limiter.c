// SPDX-License-Identifier: BSD-2-Clause
/* The parts of limits and access that belong to no single service's plan: the settings
 * and lists of all services, and the responder.
 */
#include "daemon/core/limiter.h"

#include "daemon/core/balancer.h"
#include "daemon/datapath/access.h"
#include "daemon/datapath/limits.h"
#include "daemon/log.h"
#include "daemon/responder/responder.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

int balancer_apply_limiter(struct balancer *balancer, const struct config *config,
			   struct diag *diag)
{
	int error = datapath_put_access_all(balancer->datapath, &config->access, diag);

	if (!error)
		datapath_set_limiter(balancer->datapath, &config->limiter);
	return error;
}

/* ---- the responder ----------------------------------------------------------- */

static void on_responder(void *arg)
{
	struct balancer *balancer = arg;

	for (size_t i = 0; balancer->services && i < balancer->config->n_services; i++)
		if (config_responds(&balancer->config->services[i]))
			balancer_touch(balancer->services[i]);
}

static bool has_responses(const struct config *config)
{
	for (size_t i = 0; i < config->n_services; i++)
		if (config_responds(&config->services[i]))
			return true;
	return false;
}

void balancer_apply_responder(struct balancer *balancer, const struct config *config)
{
	struct diag diag = {};
	int error = 0;

	if (!has_responses(config)) {
		responder_free(TAKE_PTR(balancer->responder));
		return;
	}
	if (!balancer->responder)
		error = responder_new(balancer->loop, balancer->datapath, on_responder, balancer,
				      &diag, &balancer->responder);
	if (!error)
		error = responder_tell(balancer->responder, config) ? diag_no_memory(&diag) : 0;
	if (error)
		log_error("the responder does not run, what it would answer is dropped: %s",
			  diag.text);
}
