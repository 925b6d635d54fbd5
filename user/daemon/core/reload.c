// SPDX-License-Identifier: BSD-2-Clause
/* From one configuration to the next: by reload, by a change at run time. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/core/edits.h"
#include "daemon/core/internal.h"
#include "daemon/core/services.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/compare.h"
#include "lib/config/write.h"

unsigned long long server_wall_clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

struct datapath_sizes server_needed_sizes(const struct config *config)
{
	struct datapath_sizes sizes = {
		.services = 1,
		.backends = 1,
		.flows = config->flows.size,
		.buckets = config->limiter.buckets,
		.gate = config->limiter.gate,
		.hash_seed = config->hash_seed,
	};

	for (size_t i = 0; i < config->n_services; i++) {
		const struct service_config *service = &config->services[i];

		sizes.services += (unsigned)service->n_addresses;
		sizes.limits += (unsigned)service->n_limits;
		/* The responder is one of its backends, at each address. */
		sizes.backends += (unsigned)service->n_addresses;
		sizes.slots += (unsigned)service->n_addresses * service->table_size;
		for (size_t a = 0; a < service->n_addresses; a++)
			for (size_t b = 0; b < service->n_backends; b++)
				sizes.backends += service->addresses[a].family ==
						  service->backends[b].ip.family;
	}
	return sizes;
}

void server_set_all(struct server *server)
{
	const struct datapath_timeouts timeouts = {
		.tcp_idle_ms = server->config->flows.tcp_idle_ms,
		.udp_idle_ms = server->config->flows.udp_idle_ms,
	};

	datapath_set_timeouts(server->datapath, &timeouts);
	datapath_set_ipip(server->datapath, &server->config->ipip);
}

/* Sizes of maps are fixed while the program is loaded. */
static int check_sizes(const struct config *from, const struct config *to, struct diag *diag)
{
	const struct {
		const char *key;
		unsigned from, to;
	} sizes[] = {
		{ "flows.size", from->flows.size, to->flows.size },
		{ "limiter.buckets", from->limiter.buckets, to->limiter.buckets },
		{ "limiter.gate", from->limiter.gate, to->limiter.gate },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i].from != sizes[i].to)
			return diag_set(diag, EINVAL,
					"%s cannot change while its map is in use (it is %u): stop "
					"sluiced and start it again",
					sizes[i].key, sizes[i].from);
	return 0;
}

static void config_cleanup(struct config **config)
{
	config_free(*config);
}

/* What a change of configuration comes to, and whether it can be done. */
static int check_change(struct server *server, const struct config *config, struct diag *diag,
			struct server_change *ret_change)
{
	struct datapath_sizes needed = server_needed_sizes(config);
	struct config_difference difference;
	int error = config_compare(server->config, config, &difference);

	if (error)
		return diag_set(diag, -error, "no memory");
	error = datapath_fits(server->datapath, &needed, diag);
	if (error)
		return error;
	error = check_sizes(server->config, config, diag);
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
	int error = text ? config_parse(text, length, name, diag, &config)
			 : config_load(server->options.config_path, diag, &config);

	return error ?: check_change(server, config, diag, ret_change);
}

/* From what runs to another configuration: what is new is there before what is
 * old goes. On failure nothing has changed, and config is still the caller's.
 */
static int switch_config(struct server *server, struct config *config, struct diag *diag)
{
	struct service *services = NULL, *old_services = server->services;
	struct config *old_config = server->config;
	int error = services_new(server, config, &services);

	if (error)
		return diag_set(diag, -error, "cannot start the checks: %s", strerror(-error));
	error = server_apply_limiter(server, config, diag);
	if (error) {
		services_free(services, config);
		return error;
	}
	server->config = config;
	server->services = services;
	server_set_all(server);
	server_apply_responder(server, config);
	server_reconcile_all(server);
	services_free(old_services, old_config);
	if (old_config != server->file)
		config_free(old_config);
	return 0;
}

/* Attaches first: that can fail, and is easily undone. */
static int switch_file(struct server *server, struct config *config, struct diag *diag)
{
	int error = server_attach_all(server, config, diag);

	if (!error)
		error = switch_config(server, config, diag);
	if (error)
		server_detach_others(server, server->config);
	return error;
}

int server_reload(struct server *server, struct diag *diag, struct server_change *ret_change)
{
	struct config *file, *config;
	int error = config_load(server->options.config_path, diag, &file);

	if (error)
		return error;
	config = edits_remake(server, file);
	error = check_change(server, config, diag, ret_change);
	if (!error)
		error = switch_file(server, config, diag);
	if (error) {
		if (config != file)
			config_free(config);
		config_free(file);
		return error;
	}
	config_free(server->file);
	server->file = file;
	edits_forget_unfit(server);
	server->reloaded_ms = server_wall_clock_ms();
	server_detach_others(server, server->config);
	return 0;
}

int server_edit(struct server *server, const struct config_change *change, unsigned timeout_ms,
		struct diag *diag)
{
	unsigned long long deadline = timeout_ms ? uv_now(server->loop) + timeout_ms : 0;
	struct server_change unused;
	struct config *config;
	int error = config_apply_change(server->config, change, diag, &config);

	if (error)
		return error;
	error = check_change(server, config, diag, &unused);
	if (!error)
		error = switch_config(server, config, diag);
	if (error) {
		config_free(config);
		return error;
	}
	if (edits_note(server, change, deadline))
		log_error("no memory to remember a change at run time: a reload will undo it");
	return 0;
}

/* A file beside path that has text, and path's mode and owner. */
static int write_fresh(const char *fresh, const char *path, const char *text)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(fresh, "wxe");
	struct stat old;

	if (!file)
		return -errno;
	/* Whom it belongs to cannot be kept without the right to give files away. */
	if (!stat(path, &old)) {
		if (fchmod(fileno(file), old.st_mode & 07777))
			return -errno;
		(void)!fchown(fileno(file), old.st_uid, old.st_gid);
	}
	return fputs(text, file) == EOF || fflush(file) || fsync(fileno(file)) ? -errno : 0;
}

/* Replaces the file as a whole, not a link to it; what it held stays beside it. */
static int replace_file(const char *link_path, const char *text, struct diag *diag)
{
	_cleanup_(cleanup_free) char *path = realpath(link_path, NULL);
	char fresh[PATH_MAX + 8], old[PATH_MAX + 8];
	int error;

	if (!path)
		return diag_set(diag, errno, "cannot find %s: %s", link_path, strerror(errno));
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	(void)snprintf(old, sizeof(old), "%s.old", path);
	(void)unlink(fresh);
	error = write_fresh(fresh, path, text);
	if (!error) {
		(void)unlink(old);
		error = link(path, old) || rename(fresh, path) ? -errno : 0;
	}
	if (!error)
		return 0;
	(void)unlink(fresh);
	return diag_set(diag, -error, "cannot write %s: %s", fresh, strerror(-error));
}

int server_save(struct server *server, struct diag *diag)
{
	_cleanup_(cleanup_free) char *text = NULL;
	int error = config_write(server->config, &text);

	if (error)
		return diag_set(diag, -error, "no memory");
	error = replace_file(server->options.config_path, text, diag);
	if (error)
		return error;
	if (server->file != server->config)
		config_free(server->file);
	server->file = server->config;
	server->n_edits = 0;
	log_info("what runs is saved to %s", server->options.config_path);
	return 0;
}
