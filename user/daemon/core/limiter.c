// SPDX-License-Identifier: BSD-2-Clause
/* What the balancer does about limits and access, beside what each service's plan
 * says: the lists of all services, the responder, the log.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/core/internal.h"
#include "daemon/datapath/access.h"
#include "daemon/datapath/events.h"
#include "daemon/datapath/limits.h"
#include "daemon/limits/offenders.h"
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
			balancer_touch(&balancer->services[i]);
}

static bool anybody_responds(const struct config *config)
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

	if (!anybody_responds(config)) {
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

/* ---- the log ----------------------------------------------------------------- */

static void on_over(void *arg, const struct sl_event *event)
{
	limit_log_over(((struct balancer *)arg)->limit_log, event);
}

static void on_events(uv_poll_t *handle, int status, int events)
{
	struct balancer *balancer = handle->data;

	(void)events;
	if (status >= 0)
		datapath_read_events(balancer->datapath, on_over, balancer);
}

int balancer_follow_limits(struct balancer *balancer, struct diag *diag)
{
	int error = limit_log_new(balancer, &balancer->limit_log);
	int fd = error ? error : datapath_events_fd(balancer->datapath);

	if (fd < 0)
		return diag_set(diag, -fd, "cannot listen to the program: %s", strerror(-fd));
	balancer->events = calloc(1, sizeof(*balancer->events));
	if (!balancer->events)
		return diag_no_memory(diag);
	(void)uv_poll_init(balancer->loop, balancer->events, fd);
	balancer->events->data = balancer;
	(void)uv_poll_start(balancer->events, UV_READABLE, on_events);
	return 0;
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

void balancer_unfollow_limits(struct balancer *balancer)
{
	if (balancer->events)
		uv_close((uv_handle_t *)TAKE_PTR(balancer->events), free_handle);
	limit_log_free(TAKE_PTR(balancer->limit_log));
}
