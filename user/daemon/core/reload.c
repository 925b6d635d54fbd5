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
