// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/core/internal.h"
#include "daemon/core/services.h"
#include "daemon/core/upkeep.h"
#include "daemon/log.h"
#include "daemon/responder/responder.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static void on_reconcile(uv_timer_t *timer)
{
	server_reconcile(timer->data);
}

static void put_device(void *arg, unsigned ifindex, const struct sl_device *device)
{
	int error = datapath_devices_put(arg, ifindex, device);

	if (error)
		log_warning("answers through device %u are left to the kernel: %s", ifindex,
			    strerror(-error));
}

static void on_devices(void *arg)
{
	struct server *server = arg;

	datapath_devices_begin(server->datapath);
	hops_each_device(server->hops, put_device, server->datapath);
	datapath_devices_end(server->datapath);
}

static void on_news(void *arg)
{
	struct server *server = arg;

	datapath_forget_ways(server->datapath);
}

static int start(struct server *server, struct diag *diag)
{
	int error = hops_new(server->loop, diag, &server->hops);

	if (!error)
		error = checks_new(server->loop, &server->checks);
	if (error)
		return error;
	server->reconcile = calloc(1, sizeof(*server->reconcile));
	if (!server->reconcile)
		return diag_set(diag, ENOMEM, "no memory");
	(void)uv_timer_init(server->loop, server->reconcile);
	server->reconcile->data = server;
	server->on_dirty = on_reconcile;

	/* Another daemon's maps must not be touched, not even for a moment. */
	error = server_claim_all(server, diag);
	if (!error)
		error = server_open_datapath(server, diag);
	if (error)
		return error;
	server_set_all(server);
	error = server_apply_limiter(server, server->config, diag)
			?: server_follow_limits(server, diag);
	if (error)
		return error;
	server_apply_responder(server, server->config);
	error = upkeep_new(server, &server->upkeep);
	if (error)
		return diag_set(diag, -error, "no memory");
	on_devices(server);
	hops_follow_devices(server->hops, on_devices, server);
	on_news(server); /* whatever was missed while no daemon ran */
	hops_follow_news(server->hops, on_news, server);
	error = services_new(server, server->config, &server->services);
	if (error)
		return diag_set(diag, -error, "cannot start the checks: %s", strerror(-error));
	/* The maps first: no packet may come before there is an answer to it. */
	server_reconcile_all(server);
	return server_attach_all(server, server->config, diag);
}

int server_new(struct uv_loop_s *loop, const struct server_options *options, struct config *config,
	       struct diag *diag, struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int error;

	if (!server) {
		config_free(config);
		return diag_set(diag, ENOMEM, "no memory");
	}
	TAILQ_INIT(&server->dirty);
	server->loop = loop;
	server->options = *options;
	server->config = server->file = config;
	server->started_ms = server->reloaded_ms = server_wall_clock_ms();
	error = start(server, diag);
	server->running = !error;
	/* On failure too: the caller stops it, runs the loop empty and frees it. */
	*ret_server = server;
	return error;
}

static void free_timer(uv_handle_t *handle)
{
	free(handle);
}

void server_stop(struct server *server)
{
	if (!server || server->stopping)
		return;
	server->stopping = true;
	if (server->datapath && !server->options.keep)
		server_detach_others(server, NULL);
	for (size_t i = 0; i < server->n_attachments; i++)
		attachment_release(&server->attachments[i]);
	upkeep_free(TAKE_PTR(server->upkeep));
	server_unfollow_limits(server);
	responder_free(TAKE_PTR(server->responder));
	services_free(TAKE_PTR(server->services), server->config);
	checks_free(TAKE_PTR(server->checks));
	hops_free(TAKE_PTR(server->hops));
	if (server->reconcile)
		uv_close((uv_handle_t *)TAKE_PTR(server->reconcile), free_timer);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	datapath_free(server->datapath,
		      server->options.keep || (server->took_over && !server->running));
	if (server->file != server->config)
		config_free(server->file);
	config_free(server->config);
	free(server->attachments);
	free(server->edits);
	free(server);
}
