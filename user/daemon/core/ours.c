// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/ours.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/balancer.h"
#include "daemon/datapath/datapath.h"
#include "daemon/log.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/nexthops.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

/* An address that services have. */
struct served {
	struct ip ip;
	struct nexthop_watch *route;
};

struct ours {
	struct balancer *balancer;
	struct served *served; /* sorted by address, each once */
	size_t n_served;
	bool warned; /* that the maps have no room */
};

/* What is gathered for the program. */
struct gathered {
	void *items;
	size_t n, room, size;
	bool short_of_memory;
};

/* Room for one more, zeroed; NULL: out of memory. */
static void *gather(struct gathered *gathered)
{
	void *item;

	if (gathered->n == gathered->room) {
		size_t room = gathered->room ? gathered->room * 2 : 64;
		void *items = reallocarray(gathered->items, room, gathered->size);

		if (!items) {
			gathered->short_of_memory = true;
			return NULL;
		}
		gathered->items = items;
		gathered->room = room;
	}
	item = (char *)gathered->items + gathered->n++ * gathered->size;
	memset(item, 0, gathered->size);
	return item;
}

static void complain(struct ours *ours, const char *what, int error)
{
	if (error && !ours->warned)
		log_warning("the program does not know all %s: %s", what, strerror(-error));
	ours->warned = error;
}

/* ---- stations ------------------------------------------------------------------ */

static void take_station(void *arg, const struct sl_station *station, __u32 state)
{
	struct known_station *item = gather(arg);

	if (item)
		*item = (struct known_station){ .key = *station, .state = state };
}

static void tell_stations(struct ours *ours)
{
	struct gathered gathered = { .size = sizeof(struct known_station) };
	int error = nexthops_each_station(ours->balancer->nexthops, take_station, &gathered);

	if (!error && gathered.short_of_memory)
		error = -ENOMEM;
	if (!error)
		error = datapath_set_stations(ours->balancer->datapath, gathered.items, gathered.n);
	complain(ours, "MAC addresses of this machine", error);
	free(gathered.items);
}

/* ---- addresses ----------------------------------------------------------------- */

static void note_address(struct gathered *gathered, const struct ip *ip, __u32 kind)
{
	struct known_address *item = gather(gathered);

	if (!item)
		return;
	item->key.addr = ip->addr;
	item->key.family = ip->family;
	item->kinds = kind;
}

static void take_address(void *arg, const struct ip *ip)
{
	note_address(arg, ip, SL_ADDRESS_OWN);
}

static enum nexthop_state route_state(const struct served *served)
{
	return served->route ? nexthop_watch_get(served->route)->state : NEXTHOP_NO_ROUTE;
}

static void tell_addresses(struct ours *ours)
{
	struct gathered gathered = { .size = sizeof(struct known_address) };
	int error;

	nexthops_each_address(ours->balancer->nexthops, take_address, &gathered);
	for (size_t i = 0; i < ours->n_served; i++) {
		const struct served *served = &ours->served[i];

		note_address(&gathered, &served->ip, SL_ADDRESS_SERVICE);
		/* A route of the type local gives this machine addresses, too. */
		if (route_state(served) == NEXTHOP_LOCAL)
			note_address(&gathered, &served->ip, SL_ADDRESS_OWN);
	}
	error = gathered.short_of_memory ? -ENOMEM
					 : datapath_set_addresses(ours->balancer->datapath,
								  gathered.items, gathered.n);
	complain(ours, "IP addresses of this machine and of the services", error);
	free(gathered.items);
}

/* ---- following ----------------------------------------------------------------- */

static void on_own(void *arg)
{
	struct ours *ours = arg;

	tell_stations(ours);
	tell_addresses(ours);
}

static void on_route(void *arg)
{
	tell_addresses(arg);
}

int ours_new(struct balancer *balancer, struct ours **ret_ours)
{
	struct ours *ours = calloc(1, sizeof(*ours));

	if (!ours)
		return -ENOMEM;
	ours->balancer = balancer;
	tell_stations(ours);
	nexthops_follow_own(balancer->nexthops, on_own, ours);
	*ret_ours = ours;
	return 0;
}

static void free_served(struct served *served, size_t n)
{
	for (size_t i = 0; i < n; i++)
		nexthop_watch_free(served[i].route);
	free(served);
}

void ours_free(struct ours *ours)
{
	if (!ours)
		return;
	nexthops_follow_own(ours->balancer->nexthops, NULL, NULL);
	free_served(ours->served, ours->n_served);
	free(ours);
}

/* ---- the services' addresses --------------------------------------------------- */

static int compare_served(const void *a, const void *b)
{
	return ip_compare(&((const struct served *)a)->ip, &((const struct served *)b)->ip);
}

/* The addresses of all services, sorted, each once. */
static size_t list_served(const struct config *config, struct served *served)
{
	size_t n = 0, used = 0;

	for (size_t i = 0; i < config->n_services; i++)
		for (size_t j = 0; j < config->services[i].n_addresses; j++)
			served[n++].ip = config->services[i].addresses[j];
	qsort(served, n, sizeof(*served), compare_served);
	for (size_t i = 0; i < n; i++)
		if (!used || compare_served(&served[used - 1], &served[i]))
			served[used++] = served[i];
	return used;
}

static size_t count_addresses(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_services; i++)
		n += config->services[i].n_addresses;
	return n;
}

int ours_serve(struct balancer *balancer, const struct config *config)
{
	struct ours *ours = balancer->ours;
	struct served *served = calloc(count_addresses(config) + 1, sizeof(*served));
	size_t n;

	if (!served)
		return -ENOMEM;
	n = list_served(config, served);
	/* Those that stay share the work with the old ones. A route that cannot be asked for is
	 * taken for none: that the address is nobody's is what most often is true.
	 */
	for (size_t i = 0; i < n; i++) {
		int error = nexthop_watch_route(balancer->nexthops, &served[i].ip, on_route, ours,
						&served[i].route);

		complain(ours, "routes to the services' addresses", error);
		yield_point();
	}
	free_served(ours->served, ours->n_served);
	ours->served = served;
	ours->n_served = n;
	tell_addresses(ours);
	return 0;
}

/* Whether packets to an address leave this machine, by any route. */
static bool leads_away(enum nexthop_state state)
{
	switch (state) {
	case NEXTHOP_RESOLVED:
	case NEXTHOP_NO_NEIGHBOUR:
	case NEXTHOP_UNSUPPORTED:
	case NEXTHOP_NEEDS_POLLING:
	case NEXTHOP_NEEDS_PROGRAM:
		return true;
	case NEXTHOP_NO_ROUTE:
	case NEXTHOP_LINK_DOWN:
	case NEXTHOP_LOCAL:
		return false;
	}
	return false;
}

void ours_each_routed(const struct balancer *balancer, ours_address_fn *each, void *arg)
{
	const struct ours *ours = balancer->ours;

	for (size_t i = 0; ours && i < ours->n_served; i++)
		if (leads_away(route_state(&ours->served[i])))
			each(arg, &ours->served[i].ip);
}
