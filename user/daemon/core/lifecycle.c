// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/lifecycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/denied.h"
#include "daemon/core/interfaces.h"
#include "daemon/core/kept.h"
#include "daemon/core/limiter.h"
#include "daemon/core/open.h"
#include "daemon/core/ours.h"
#include "daemon/core/reconcile.h"
#include "daemon/core/services.h"
#include "daemon/core/upkeep.h"
#include "daemon/fiber.h"
#include "daemon/health/checks.h"
#include "daemon/log.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/nexthops.h"
#include "daemon/responder/responder.h"
#include "daemon/unsent/send.h"
#include "daemon/unsent/unsent.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static void put_device(void *arg, unsigned ifindex, const struct sl_device *device)
{
	int error = datapath_devices_put(arg, ifindex, device);

	if (error)
		log_warning("replies through device %u are left to the kernel: %s", ifindex,
			    strerror(-error));
}

static void put_devices(struct balancer *balancer)
{
	datapath_devices_begin(balancer->datapath);
	nexthops_each_device(balancer->nexthops, put_device, balancer->datapath);
	datapath_devices_end(balancer->datapath);
}

static void on_devices(void *arg)
{
	put_devices(arg);
	balancer_follow_interfaces(arg);
}

static void on_kernel_change(void *arg)
{
	struct balancer *balancer = arg;

	datapath_forget_routes(balancer->datapath);
	unsent_review(balancer->unsent);
}

int balancer_open_socket(struct diag *diag, int *ret_fd)
{
	int fd = unsent_open_socket();

	if (fd < 0)
		return diag_set(diag, -fd, "cannot open a packet socket: %s%s", strerror(-fd),
				fd == -EPERM ? " (root or CAP_NET_RAW?)" : "");
	*ret_fd = fd;
	return 0;
}

static int start_unsent(struct balancer *balancer, struct diag *diag)
{
	const struct unsent_needs needs = {
		.loop = balancer->loop,
		.datapath = balancer->datapath,
		.nexthops = balancer->nexthops,
		.socket = balancer->options.packet_socket,
	};

	return unsent_new(&needs, diag, &balancer->unsent);
}

static int start(struct balancer *balancer, struct diag *diag)
{
	struct service **services;
	int error = nexthops_new(balancer->loop, diag, &balancer->nexthops);

	if (error)
		return error;
	if (checks_new(balancer->loop, &balancer->checks))
		return diag_no_memory(diag);

	/* Another daemon's maps must not be touched, not even for a moment. */
	error = balancer_claim_all(balancer, diag);
	if (!error)
		error = kept_open(balancer, diag);
	if (!error)
		error = balancer_open_datapath(balancer, diag);
	if (error)
		return error;
	balancer_set_all(balancer);
	error = balancer_denied_start(balancer, diag);
	if (!error)
		error = balancer_apply_limiter(balancer, balancer->config, diag);
	if (error)
		return error;
	balancer_apply_responder(balancer, balancer->config);
	error = upkeep_new(balancer, &balancer->upkeep);
	if (error)
		return diag_no_memory(diag);
	error = start_unsent(balancer, diag);
	if (error)
		return error;
	put_devices(balancer);
	/* Before a service is published: no frame is a service's that was sent elsewhere. */
	error = ours_new(balancer, &balancer->ours);
	if (!error)
		error = ours_serve(balancer, balancer->config);
	if (error)
		return diag_no_memory(diag);
	nexthops_follow_devices(balancer->nexthops, on_devices, balancer);
	on_kernel_change(balancer); /* while no daemon ran, changes were missed */
	nexthops_follow_changes(balancer->nexthops, on_kernel_change, balancer);
	error = services_new(balancer, balancer->config, &services);
	if (error)
		return diag_set(diag, -error, "cannot start the checks: %s", strerror(-error));
	(void)services_replace(balancer, balancer->config, services);
	balancer_claim_services(balancer);
	/* The maps first: no packet may come before there is an answer to it. */
	if (balancer_reconcile_start(balancer))
		return diag_no_memory(diag);
	return balancer_attach_all(balancer, balancer->config, diag);
}

int balancer_new(struct uv_loop_s *loop, const struct balancer_options *options,
		 struct config *config, struct diag *diag, struct balancer **ret_balancer)
{
	struct balancer *balancer = calloc(1, sizeof(*balancer));

	if (!balancer) {
		config_free(config);
		return diag_no_memory(diag);
	}
	TAILQ_INIT(&balancer->claimed);
	TAILQ_INIT(&balancer->touched);
	fiber_lock_init(&balancer->changing);
	fiber_lock_init(&balancer->reading);
	balancer->loop = loop;
	balancer->options = *options;
	balancer->config = balancer->file = config;
	balancer->started_ms = balancer->reloaded_ms = clock_wall_ms();
	balancer->started_ns = clock_monotonic_ns();
	*ret_balancer = balancer;
	return 0;
}

int balancer_start(struct balancer *balancer, struct diag *diag)
{
	int error = start(balancer, diag);

	balancer->running = !error;
	if (!error)
		kept_start(balancer);
	return error;
}

void balancer_stop(struct balancer *balancer)
{
	if (!balancer || balancer->stopping)
		return;
	balancer->stopping = true;
	balancer_wake(balancer);
	fibers_finish();
	if (balancer->datapath && !balancer->options.keep)
		balancer_detach_others(balancer, NULL);
	for (size_t i = 0; i < balancer->n_attachments; i++)
		attachment_release(&balancer->attachments[i]);
	upkeep_free(TAKE_PTR(balancer->upkeep));
	unsent_free(TAKE_PTR(balancer->unsent));
	responder_free(TAKE_PTR(balancer->responder));
	services_end(balancer);
	ours_free(TAKE_PTR(balancer->ours));
	checks_free(TAKE_PTR(balancer->checks));
	nexthops_free(TAKE_PTR(balancer->nexthops));
}

void balancer_free(struct balancer *balancer)
{
	if (!balancer)
		return;
	datapath_free(balancer->datapath,
		      balancer->options.keep || (balancer->took_over && !balancer->running));
	if (balancer->file != balancer->config)
		config_free(balancer->file);
	config_free(balancer->config);
	kept_close(balancer);
	free(balancer->denials);
	free(balancer->attachments);
	free(balancer->edits);
	free(balancer);
}
