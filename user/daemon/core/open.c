// SPDX-License-Identifier: BSD-2-Clause
/* The datapath at the start: which one, and how much it holds. */
#include "daemon/core/open.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/balancer.h"
#include "daemon/core/sizes.h"
#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

void balancer_set_all(struct balancer *balancer)
{
	const struct flows_config *flows = &balancer->config->flows;
	const struct datapath_timeouts timeouts = {
		.tcp_idle_ms = flows->tcp_idle_ms,
		.udp_idle_ms = flows->udp_idle_ms,
		.tracked_idle_ms = flows->tracked_idle_ms > flows->tcp_idle_ms
					   ? flows->tracked_idle_ms
					   : flows->tcp_idle_ms,
	};

	datapath_set_timeouts(balancer->datapath, &timeouts);
	datapath_set_forwarding(balancer->datapath, balancer->config);
	datapath_set_unserved(balancer->datapath, balancer->config);
}

/* Whether a program that was looked for was taken over: 0. -ENOENT: there is none, or it cannot
 * be taken over and will be replaced. Else -errno.
 */
static int note_takeover(struct balancer *balancer, int error, const char *place,
			 const struct diag *diag)
{
	if (!error) {
		balancer->took_over = true;
		log_info("took over the program and maps that %s", place);
	} else if (error == -EPROTO || error == -ENOSPC || error == -EEXIST) {
		log_warning("the sluice program that %s cannot be taken over and will be replaced: "
			    "%s",
			    place, diag->text);
		return -ENOENT;
	}
	return error;
}

/* Refuses a configuration that leaves none of the services which the maps hold. */
static int check_removal(const struct balancer *balancer, struct diag *diag)
{
	unsigned long n = datapath_count_services(balancer->datapath);

	if (!n || balancer->config->n_services || balancer->options.force)
		return 0;
	(void)snprintf(diag->file, sizeof(diag->file), "%s", balancer->options.config_path);
	return diag_set(diag, ENOTEMPTY,
			"it has no services, so this start would remove all %lu that run; if that "
			"is meant: sluiced --force",
			n);
}

/* A program that cannot be taken over is replaced later, when its interface is attached to. The
 * pinned one comes last: where no interface runs it any more, its maps still hold the flows.
 */
int balancer_open_datapath(struct balancer *balancer, struct diag *diag)
{
	struct datapath_sizes needed = {}, sizes;
	_cleanup_(cleanup_free) struct datapath_table *tables = NULL;
	const char *pin_dir = balancer->options.pin_dir;
	int error = -ENOENT;
	bool found = false;

	if (sizes_needed(balancer->config, &needed))
		return diag_no_memory(diag);
	tables = needed.tables;
	sizes = sizes_roomy(&needed);
	for (size_t i = 0; error == -ENOENT && i < balancer->config->n_interfaces; i++) {
		const char *name = balancer->config->interfaces[i].name;
		unsigned ifindex = if_nametoindex(name);
		char place[IF_NAMESIZE + sizeof(" runs")];

		(void)snprintf(place, sizeof(place), "%s runs", name);
		if (!ifindex)
			continue;
		error = datapath_adopt((int)ifindex, &needed, pin_dir, diag, &balancer->datapath);
		found |= error != -ENOENT;
		error = note_takeover(balancer, error, place, diag);
	}
	if (error == -ENOENT && !found)
		error = note_takeover(
			balancer,
			datapath_adopt_pinned(&needed, pin_dir, diag, &balancer->datapath),
			"an earlier daemon has pinned", diag);
	if (!error)
		return check_removal(balancer, diag);
	if (error == -ENOENT)
		error = datapath_load(&sizes, pin_dir, diag, &balancer->datapath);
	return error;
}
