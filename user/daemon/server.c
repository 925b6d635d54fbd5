// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "daemon/datapath.h"
#include "daemon/log.h"
#include "daemon/services.h"
#include "lib/cleanup.h"
#include "lib/config_compare.h"
#include "lib/diag.h"

/* Maps are made for twice of what the configuration needs, and at least this,
 * so that reloads have room to grow.
 */
#define ROOM_SERVICES 1024
#define ROOM_BACKENDS 4096
#define ROOM_SLOTS    (1U << 20)

static unsigned long long wall_clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

/* What the maps must hold at the least. */
static struct datapath_sizes needed_sizes(const struct config *config)
{
	struct datapath_sizes sizes = { .services = 1, .backends = 1 };

	for (size_t i = 0; i < config->n_services; i++) {
		const struct service_config *service = &config->services[i];

		sizes.services += (unsigned)service->n_addresses;
		sizes.slots += (unsigned)service->n_addresses * service->table_size;
		for (size_t a = 0; a < service->n_addresses; a++)
			for (size_t b = 0; b < service->n_backends; b++)
				sizes.backends += service->addresses[a].family ==
						  service->backends[b].ip.family;
	}
	return sizes;
}

static unsigned roomy(unsigned needed, unsigned least)
{
	return needed > least / 2 ? needed * 2 : least;
}

static struct datapath_sizes roomy_sizes(const struct datapath_sizes *needed)
{
	return (struct datapath_sizes){
		.services = roomy(needed->services, ROOM_SERVICES),
		.backends = roomy(needed->backends, ROOM_BACKENDS),
		.slots = roomy(needed->slots, ROOM_SLOTS),
		.sources = SL_DEFAULT_SOURCES,
	};
}

/* Takes over what one of the interfaces runs already, or loads afresh. What
 * cannot be taken over is replaced when it comes to attaching.
 */
static int open_datapath(struct server *server, struct diag *diag)
{
	struct datapath_sizes needed = needed_sizes(server->config);
	struct datapath_sizes sizes = roomy_sizes(&needed);

	for (size_t i = 0; i < server->config->n_interfaces; i++) {
		const char *name = server->config->interfaces[i].name;
		unsigned ifindex = if_nametoindex(name);
		int error = ifindex ? datapath_adopt((int)ifindex, &needed, server->options.pin_dir,
						     diag, &server->datapath) :
				      -ENOENT;

		if (!error) {
			server->took_over = true;
			log_info("took over the program and maps that %s runs", name);
			return 0;
		}
		if (error == -EPROTO || error == -ENOSPC)
			log_warning("the sluice program on %s cannot be taken over and will be "
				    "replaced: %s",
				    name, diag->text);
		else if (error != -ENOENT)
			return error;
	}
	return datapath_load(&sizes, server->options.pin_dir, diag, &server->datapath);
}

static struct attachment *find_attachment(struct server *server, const char *name)
{
	for (size_t i = 0; i < server->n_attachments; i++)
		if (!strcmp(server->attachments[i].name, name))
			return &server->attachments[i];
	return NULL;
}

/* Claims an interface for later; one that is claimed already stays so. */
static int claim(struct server *server, const char *interface, struct diag *diag)
{
	struct attachment *list;
	int error;

	if (find_attachment(server, interface))
		return 0;
	list = reallocarray(server->attachments, server->n_attachments + 1, sizeof(*list));
	if (!list)
		return diag_set(diag, ENOMEM, "no memory");
	server->attachments = list;
	error = attachment_claim(interface, diag, &list[server->n_attachments]);
	if (!error)
		server->n_attachments++;
	return error;
}

static int claim_all(struct server *server, struct diag *diag)
{
	int error = 0;

	for (size_t i = 0; !error && i < server->config->n_interfaces; i++)
		error = claim(server, server->config->interfaces[i].name, diag);
	return error;
}

/* Forgets an interface; a running program stays where it is. */
static void release(struct server *server, struct attachment *attachment)
{
	attachment_release(attachment);
	*attachment = server->attachments[--server->n_attachments];
}

int server_attach(struct server *server, const char *interface, enum attach_mode mode,
		  struct diag *diag)
{
	struct attachment *attachment;
	int error = claim(server, interface, diag);

	if (error)
		return error;
	attachment = find_attachment(server, interface);
	if (attachment->program_id)
		return 0;
	error = attachment_attach(server->datapath, mode, diag, attachment);
	if (error) {
		release(server, attachment);
		return error;
	}
	log_info("%s %s in %s mode%s", attachment->adopted ? "found the program on" : "attached to",
		 interface, config_mode_name(attachment->mode),
		 attachment->shared ? ", through libxdp's dispatcher" : "");
	return 0;
}

/* What is not ours any more is forgotten; what cannot be detached stays known. */
static int detach(struct server *server, struct attachment *attachment, struct diag *diag)
{
	int error = attachment_detach(server->datapath, attachment, diag);

	if (error && error != -ENOENT)
		return error;
	if (!error)
		log_info("detached from %s", attachment->name);
	release(server, attachment);
	return error;
}

int server_detach(struct server *server, const char *interface, struct diag *diag)
{
	struct attachment *attachment = find_attachment(server, interface);

	if (!attachment)
		return diag_set(diag, ENOENT, "sluiced is not attached to %s", interface);
	return detach(server, attachment, diag);
}

static int attach_all(struct server *server, const struct config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		int error = server_attach(server, config->interfaces[i].name,
					  config->interfaces[i].mode, diag);

		if (error)
			return error;
	}
	return 0;
}

/* Detaches from what is not in config. */
static void detach_others(struct server *server, const struct config *config)
{
	struct diag diag = { 0 };

	for (size_t i = server->n_attachments; i-- > 0;) {
		struct attachment *attachment = &server->attachments[i];
		bool wanted = false;

		for (size_t j = 0; config && j < config->n_interfaces; j++)
			wanted |= !strcmp(config->interfaces[j].name, attachment->name);
		/* A failed start leaves what it found as it was. */
		if (attachment->adopted && !server->running)
			continue;
		if (!wanted && attachment->program_id && detach(server, attachment, &diag))
			log_warning("%s", diag.text);
	}
}

static void config_cleanup(struct config **config)
{
	config_free(*config);
}

static void on_reconcile(uv_timer_t *timer)
{
	server_reconcile(timer->data);
}

void server_touch(struct service *service)
{
	struct server *server = service->server;

	service->dirty = true;
	if (!server->stopping)
		(void)uv_timer_start(server->reconcile, on_reconcile, 0, 0);
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

	/* Another daemon's maps must not be touched, not even for a moment. */
	error = claim_all(server, diag);
	if (!error)
		error = open_datapath(server, diag);
	if (error)
		return error;
	on_devices(server);
	hops_follow_devices(server->hops, on_devices, server);
	error = services_new(server, server->config, &server->services);
	if (error)
		return diag_set(diag, -error, "cannot start the checks: %s", strerror(-error));
	/* The maps first: no packet may come before there is an answer to it. */
	server_reconcile(server);
	datapath_remove_unclaimed(server->datapath);
	return attach_all(server, server->config, diag);
}

int server_new(struct uv_loop_s *loop, const struct server_options *options,
	       struct config *config, struct diag *diag, struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int error;

	if (!server) {
		config_free(config);
		return diag_set(diag, ENOMEM, "no memory");
	}
	server->loop = loop;
	server->options = *options;
	server->config = config;
	server->started_ms = server->reloaded_ms = wall_clock_ms();
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
		detach_others(server, NULL);
	for (size_t i = 0; i < server->n_attachments; i++)
		attachment_release(&server->attachments[i]);
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
	config_free(server->config);
	free(server->attachments);
	free(server);
}

/* What a change of configuration comes to, and whether it can be done. */
static int check_change(struct server *server, const struct config *config, struct diag *diag,
			struct server_change *ret_change)
{
	struct datapath_sizes needed = needed_sizes(config);
	struct config_difference difference;
	int error = config_compare(server->config, config, &difference);

	if (error)
		return diag_set(diag, -error, "no memory");
	error = datapath_fits(server->datapath, &needed, diag);
	if (error)
		return error;
	*ret_change = (struct server_change){
		.added = difference.added,
		.removed = difference.removed,
		.changed = difference.changed,
	};
	return 0;
}

int server_check(struct server *server, const char *text, size_t length, const char *name,
		 struct diag *diag, struct server_change *ret_change)
{
	_cleanup_(config_cleanup) struct config *config = NULL;
	int error = text ? config_parse(text, length, name, diag, &config) :
			   config_load(server->options.config_path, diag, &config);

	return error ?: check_change(server, config, diag, ret_change);
}

int server_reload(struct server *server, struct diag *diag, struct server_change *ret_change)
{
	_cleanup_(config_cleanup) struct config *config = NULL;
	struct service *services = NULL, *old_services = server->services;
	struct config *old_config = server->config;
	int error = config_load(server->options.config_path, diag, &config);

	if (!error)
		error = check_change(server, config, diag, ret_change);
	if (error)
		return error;
	error = services_new(server, config, &services);
	if (error)
		return diag_set(diag, -error, "cannot start the checks: %s", strerror(-error));
	error = attach_all(server, config, diag);
	if (error) {
		detach_others(server, old_config);
		services_free(services, config);
		return error;
	}
	server->config = TAKE_PTR(config);
	server->services = services;
	server->reloaded_ms = wall_clock_ms();
	datapath_unclaim(server->datapath);
	server_reconcile(server);
	datapath_remove_unclaimed(server->datapath);
	detach_others(server, server->config);
	services_free(old_services, old_config);
	config_free(old_config);
	return 0;
}
