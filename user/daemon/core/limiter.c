// SPDX-License-Identifier: BSD-2-Clause
/* What the server does about limits and access, beside what each service's plan
 * says: the lists of all services, the responder, the log.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/core/internal.h"
#include "daemon/datapath/access.h"
#include "daemon/datapath/limits.h"
#include "daemon/datapath/sources.h"
#include "daemon/limits/offenders.h"
#include "daemon/log.h"
#include "daemon/responder/responder.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

int server_apply_limiter(struct server *server, const struct config *config, struct diag *diag)
{
	int error = datapath_put_access_all(server->datapath, &config->access, diag);

	if (!error)
		datapath_set_limiter(server->datapath, &config->limiter);
	return error;
}

/* ---- the responder ----------------------------------------------------------- */

static void on_responder(void *arg)
{
	struct server *server = arg;

	for (size_t i = 0; server->services && i < server->config->n_services; i++)
		if (config_responds(&server->config->services[i]))
			server_touch(&server->services[i]);
}

static bool anybody_responds(const struct config *config)
{
	for (size_t i = 0; i < config->n_services; i++)
		if (config_responds(&config->services[i]))
			return true;
	return false;
}

void server_apply_responder(struct server *server, const struct config *config)
{
	struct diag diag = { 0 };
	int error = 0;

	if (!anybody_responds(config)) {
		responder_free(TAKE_PTR(server->responder));
		return;
	}
	if (!server->responder)
		error = responder_new(server->loop, server->datapath, on_responder, server, &diag,
				      &server->responder);
	if (!error)
		error = responder_tell(server->responder, config)
				? diag_set(&diag, ENOMEM, "no memory")
				: 0;
	if (error)
		log_error("the responder does not run, what it would answer is dropped: %s",
			  diag.text);
}

/* ---- the log ----------------------------------------------------------------- */

static void on_over(void *arg, const struct sl_event *event)
{
	limit_log_over(((struct server *)arg)->limit_log, event);
}

static void on_events(uv_poll_t *handle, int status, int events)
{
	struct server *server = handle->data;

	(void)events;
	if (status >= 0)
		datapath_read_events(server->datapath, on_over, server);
}

int server_follow_limits(struct server *server, struct diag *diag)
{
	int error = limit_log_new(server, &server->limit_log);
	int fd = error ? error : datapath_events_fd(server->datapath);

	if (fd < 0)
		return diag_set(diag, -fd, "cannot listen to the program: %s", strerror(-fd));
	server->events = calloc(1, sizeof(*server->events));
	if (!server->events)
		return diag_set(diag, ENOMEM, "no memory");
	(void)uv_poll_init(server->loop, server->events, fd);
	server->events->data = server;
	(void)uv_poll_start(server->events, UV_READABLE, on_events);
	return 0;
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

void server_unfollow_limits(struct server *server)
{
	if (server->events)
		uv_close((uv_handle_t *)TAKE_PTR(server->events), free_handle);
	limit_log_free(TAKE_PTR(server->limit_log));
}
