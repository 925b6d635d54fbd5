// SPDX-License-Identifier: BSD-2-Clause
/* From one configuration to the next. */
#include "daemon/core/reload.h"

#include <errno.h>
#include <string.h>
#include <uv.h>

#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/edits.h"
#include "daemon/core/interfaces.h"
#include "daemon/core/kept.h"
#include "daemon/core/limiter.h"
#include "daemon/core/open.h"
#include "daemon/core/ours.h"
#include "daemon/core/reconcile.h"
#include "daemon/core/services.h"
#include "daemon/core/sizes.h"
#include "daemon/fiber.h"
#include "daemon/log.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/compare.h"

/* The seed is fixed while the program is loaded. A daemon that has taken over a program with
 * another seed than its file's goes on with that one (core/advice.c says so), and a reload of
 * this file is no change.
 */
static int check_seed(const struct balancer *balancer, const struct config *to, struct diag *diag)
{
	if (to->hash_seed == balancer->config->hash_seed ||
	    to->hash_seed == datapath_hash_seed(balancer->datapath))
		return 0;
	return diag_set(diag, EEXIST,
			"hash_seed cannot change while the program runs: another seed would move "
			"most connections to other backends; if they may move, detach all "
			"interfaces, stop sluiced and start it again");
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

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].from != sizes[i].to)
			return diag_set(diag, EINVAL,
					"%s cannot change while its map is in use (it is %u): stop "
					"sluiced and start it again",
					sizes[i].key, sizes[i].from);
	return 0;
}

static size_t count_backends(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_services; i++)
		n += config->services[i].n_backends;
	return n;
}

int balancer_check_change(struct balancer *balancer, const struct config *config, struct diag *diag,
			  struct balancer_change *ret_change)
{
	struct config_difference difference;
	int error = config_compare(balancer->config, config, &difference);

	if (error)
		return diag_no_memory(diag);
	error = balancer_check_room(balancer, config, diag);
	if (error)
		return error;
	error = check_seed(balancer, config, diag) ?: check_sizes(balancer->config, config, diag);
	if (error)
		return error;
	*ret_change = (struct balancer_change){
		.services = config->n_services,
		.backends = count_backends(config),
		.added = difference.added,
		.removed = difference.removed,
		.changed = difference.changed,
	};
	return 0;
}

int balancer_check_interfaces(const struct balancer *balancer, const struct config *config,
			      struct diag *diag)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		struct diag found = {};
		int error = attachment_check(balancer ? balancer->datapath : NULL,
					     config->interfaces[i].name, &found);

		if (error && error != -ENODEV) {
			found.list = diag->list;
			*diag = found;
			return error;
		}
		if (error)
			diag_warn(diag, 0, 0, "%s", found.text);
	}
	return 0;
}

/* Refuses a configuration that leaves nothing of what runs. */
static int check_removal(const struct balancer *balancer, const struct config *config,
			 struct diag *diag)
{
	const struct config *running = balancer->config;

	if (running->n_services && !config->n_services)
		return diag_set(diag, ENOTEMPTY,
				"it has no services, so all %zu that run would be removed; if that "
				"is meant: sluicectl reload --force",
				running->n_services);
	if (running->n_interfaces && balancer_count_attached(balancer) && !config->n_interfaces)
		return diag_set(diag, ENOTEMPTY,
				"it names no interface, so the program would be taken off all %zu; "
				"if that is meant: sluicectl reload --force",
				balancer_count_attached(balancer));
	return 0;
}

int balancer_check(struct balancer *balancer, const char *text, size_t length, const char *name,
		   struct diag *diag, struct balancer_change *ret_change)
{
	_cleanup_(config_freep) struct config *config = NULL;
	int error = text ? config_parse(text, length, name, diag, &config)
			 : config_load(balancer->options.config_path, diag, &config);

	if (error)
		return error;
	fiber_lock_share(&balancer->reading);
	error = check_removal(balancer, config, diag)
			?: balancer_check_change(balancer, config, diag, ret_change)
			?: balancer_check_interfaces(balancer, config, diag);
	fiber_lock_unshare(&balancer->reading);
	return error;
}

/* Readers look at one configuration or at the other. Returns the services before. */
static struct service **replace(struct balancer *balancer, struct config *config,
				struct service **services)
{
	struct service **old;

	fiber_lock_take(&balancer->reading);
	old = services_replace(balancer, config, services);
	balancer_set_all(balancer);
	balancer_apply_responder(balancer, config);
	balancer_claim_services(balancer);
	services_take_news(balancer);
	fiber_lock_give(&balancer->reading);
	return old;
}

/* What can fail comes first. Of that, attaching comes last: it is seen by others. */
static int prepare(struct balancer *balancer, const struct config *config, bool attach,
		   struct service ***ret_services, struct diag *diag)
{
	struct service **services = NULL;
	struct diag unused = {};
	int error = services_new(balancer, config, &services);

	if (error)
		return diag_set(diag, -error, "cannot start the checks: %s", strerror(-error));
	error = balancer_apply_limiter(balancer, config, diag);
	if (!error && attach) {
		error = balancer_attach_all(balancer, config, diag);
		if (error) {
			balancer_attach_undo(balancer);
			(void)balancer_apply_limiter(balancer, balancer->config, &unused);
		}
	}
	if (error)
		services_free(services, config->n_services);
	else
		*ret_services = services;
	return error;
}

/* New services are there before old ones go. */
static int switch_to(struct balancer *balancer, struct config *config, bool attach,
		     struct diag *diag)
{
	struct config *old_config = balancer->config;
	struct service **services, **old;
	int error = prepare(balancer, config, attach, &services, diag);

	if (error)
		return error;
	old = replace(balancer, config, services);
	balancer_await_services(balancer);
	if (ours_serve(balancer, config))
		log_error("out of memory to follow the addresses of the services");
	services_free(old, old_config->n_services);
	if (old_config != balancer->file)
		config_free(old_config);
	return 0;
}

int balancer_switch(struct balancer *balancer, struct config *config, struct diag *diag)
{
	return switch_to(balancer, config, false, diag);
}

int balancer_reload(struct balancer *balancer, bool force, struct diag *diag,
		    struct balancer_change *ret_change)
{
	struct config *file, *config;
	int error = config_load(balancer->options.config_path, diag, &file);

	if (error)
		return error;
	config = edits_remake(balancer, file);
	error = force ? 0 : check_removal(balancer, config, diag);
	error = error ?: balancer_check_change(balancer, config, diag, ret_change)
			 ?: balancer_check_interfaces(balancer, config, diag);
	if (!error)
		error = switch_to(balancer, config, true, diag);
	if (error) {
		if (config != file)
			config_free(config);
		config_free(file);
		return error;
	}
	config_free(balancer->file);
	balancer->file = file;
	if (edits_forget_unfit(balancer))
		kept_put_later(balancer);
	ret_change->waiting = balancer_waiting(balancer);
	balancer->reloaded_ms = clock_wall_ms();
	balancer->refused[0] = '\0';
	balancer_detach_others(balancer, balancer->config);
	return 0;
}

void balancer_note_refusal(struct balancer *balancer, const struct diag *diag)
{
	diag_format(diag, balancer->refused, sizeof(balancer->refused));
}
