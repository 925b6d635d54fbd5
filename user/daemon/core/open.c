// SPDX-License-Identifier: BSD-2-Clause
/* The datapath at the start: which one, and how much it holds. */
#include "daemon/core/open.h"

#include <errno.h>
#include <net/if.h>

#include "daemon/core/balancer.h"
#include "daemon/log.h"
#include "lib/base/diag.h"

struct datapath_sizes balancer_needed_sizes(const struct config *config)
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

void balancer_set_all(struct balancer *balancer)
{
	const struct datapath_timeouts timeouts = {
		.tcp_idle_ms = balancer->config->flows.tcp_idle_ms,
		.udp_idle_ms = balancer->config->flows.udp_idle_ms,
	};

	datapath_set_timeouts(balancer->datapath, &timeouts);
	datapath_set_forwarding(balancer->datapath, balancer->config);
}

/* Maps are made for more than the configuration needs, and at least this, so that
 * reloads have room to grow: for twice as many small entries, and for a quarter more
 * slots, which are most of the memory.
 */
#define ROOM_SERVICES 1024
#define ROOM_BACKENDS 4096
#define ROOM_SLOTS    (1U << 20)
#define ROOM_LIMITS   512

static unsigned roomy(unsigned needed, unsigned least)
{
	return needed > least / 2 ? needed * 2 : least;
}

static struct datapath_sizes roomy_sizes(const struct datapath_sizes *needed)
{
	return (struct datapath_sizes){
		.services = roomy(needed->services, ROOM_SERVICES),
		.backends = roomy(needed->backends, ROOM_BACKENDS),
		.slots = needed->slots < ROOM_SLOTS / 2 ? ROOM_SLOTS
							: needed->slots + needed->slots / 4,
		.limits = roomy(needed->limits, ROOM_LIMITS),
		.buckets = needed->buckets,
		.gate = needed->gate,
		.flows = needed->flows,
		.hash_seed = needed->hash_seed,
	};
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

/* A program that cannot be taken over is replaced later, when its interface is attached to. The
 * pinned one comes last: where no interface runs it any more, its maps still hold the flows.
 */
int balancer_open_datapath(struct balancer *balancer, struct diag *diag)
{
	struct datapath_sizes needed = balancer_needed_sizes(balancer->config);
	struct datapath_sizes sizes = roomy_sizes(&needed);
	const char *pin_dir = balancer->options.pin_dir;
	int error = -ENOENT;
	bool found = false;

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
	if (error == -ENOENT)
		error = datapath_load(&sizes, pin_dir, diag, &balancer->datapath);
	return error;
}
