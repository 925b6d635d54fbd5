// SPDX-License-Identifier: BSD-2-Clause
#include "lib/balance/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/balance/maglev.h"
#include "lib/balance/turns.h"
#include "lib/base/cleanup.h"
#include "lib/base/divisor.h"
#include "lib/base/hashtable.h"
#include "lib/base/yield.h"
#include "sluice/hash.h"

_Static_assert(PLAN_NO_BACKEND == MAGLEV_EMPTY, "an empty slot means the same to both");

struct sl_key plan_service_key(const struct service_config *service, const struct ip *address)
{
	return (struct sl_key){
		.addr = address->addr,
		.port = service->port,
		.proto = service->proto,
		.family = address->family,
	};
}

struct sl_key plan_backend_key(const struct service_config *service,
			       const struct backend_config *backend)
{
	return (struct sl_key){
		.addr = backend->ip.addr,
		.port = backend->port,
		.proto = service->proto,
		.family = backend->ip.family,
	};
}

/* What makes a backend the same one on every machine: where it is. A hash of the client's
 * address alone leads to a server, whatever the service's port: backends of one address are
 * the same then, so that services with the same servers choose alike.
 */
static uint64_t backend_identity(const struct plan *plan, const struct sl_key *key)
{
	uint64_t h = sl_hash_mix(key->addr.halves[0] ^ key->family);

	h = sl_hash_mix(h ^ key->addr.halves[1]);
	return sl_hash_mix(h ^ (sl_scheduler_by_source(plan->scheduler) ? 0 : key->port));
}

static bool is_candidate(const struct plan_input *input)
{
	return !input->absent && input->admin_state == ADMIN_UP && input->resolved && input->weight;
}

/* What picking members is about: the backends of the address's family. */
struct picking {
	const struct service_config *service;
	const struct plan_input *inputs;
	__u8 family;
};

enum pick { PICK_HEALTHY, PICK_HEALTHY_BACKUPS, PICK_ANY, PICK_LAST };

static bool picked(const struct picking *picking, size_t i, enum pick pick)
{
	const struct backend_config *backend = &picking->service->backends[i];
	const struct plan_input *input = &picking->inputs[i];

	if (backend->ip.family != picking->family || !is_candidate(input))
		return false;
	switch (pick) {
	case PICK_HEALTHY:
		return !backend->backup && input->health == PLAN_UP;
	case PICK_HEALTHY_BACKUPS:
		return backend->backup && input->health == PLAN_UP;
	case PICK_ANY:
		return !backend->backup;
	case PICK_LAST:
		return input->served_last;
	}
	return false;
}

static size_t count_picked(const struct picking *picking, enum pick pick)
{
	size_t n = 0;

	for (size_t i = 0; i < picking->service->n_backends; i++)
		n += picked(picking, i, pick);
	return n;
}

/* Whether fewer are healthy than the service asks for, so that health is better
 * ignored than all load sent to the last one.
 */
static bool in_panic(const struct picking *picking, size_t healthy)
{
	const struct service_config *service = picking->service;
	size_t wanted = service->min_healthy, all = 0;

	if (service->min_healthy_percent) {
		for (size_t i = 0; i < service->n_backends; i++)
			all += service->backends[i].ip.family == picking->family &&
			       !service->backends[i].backup;
		return healthy * 100 < wanted * all;
	}
	return healthy < wanted;
}

/* Who takes new connections. */
static enum pick pick_members(const struct picking *picking, bool *ret_panic)
{
	size_t healthy = count_picked(picking, PICK_HEALTHY);

	*ret_panic = in_panic(picking, healthy) && count_picked(picking, PICK_ANY) > healthy;
	if (*ret_panic)
		return PICK_ANY;
	if (healthy)
		return PICK_HEALTHY;
	if (count_picked(picking, PICK_HEALTHY_BACKUPS) ||
	    picking->service->on_all_down != ON_ALL_DOWN_LAST_KNOWN)
		return PICK_HEALTHY_BACKUPS;
	return PICK_LAST;
}

static int build_nobody(struct plan *plan)
{
	plan->table_size = 1;
	plan->table = malloc(sizeof(*plan->table));
	if (!plan->table)
		return -ENOMEM;
	plan->table[0] = PLAN_NO_BACKEND;
	return 0;
}

/* round-robin: every turn of one cycle, in order. */
static int build_turns(struct plan *plan, const struct maglev_member *members, size_t n)
{
	unsigned divisor = 0, heaviest = 0, turns = 0, taken = 0;

	for (size_t i = 0; i < n; i++) {
		divisor = greatest_divisor(members[i].weight, divisor);
		heaviest = members[i].weight > heaviest ? members[i].weight : heaviest;
		turns += members[i].weight;
	}
	if (!divisor)
		return build_nobody(plan);
	plan->table_size = turns / divisor;
	heaviest /= divisor;
	plan->table = malloc(plan->table_size * sizeof(*plan->table));
	if (!plan->table)
		return -ENOMEM;
	for (unsigned round = 0; round < heaviest; round++) {
		for (size_t i = 0; i < n; i++)
			if (turns_has(round, members[i].weight / divisor, heaviest))
				plan->table[taken++] = members[i].value;
		yield_point();
	}
	return 0;
}

/* least-connections: every member once. */
static int build_list(struct plan *plan, const struct maglev_member *members, size_t n)
{
	if (!n)
		return build_nobody(plan);
	plan->table_size = (unsigned)n;
	plan->table = malloc(n * sizeof(*plan->table));
	if (!plan->table)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		plan->table[i] = members[i].value;
	return 0;
}

static int build_maglev(struct plan *plan, struct maglev_member *members, size_t n)
{
	plan->table = malloc(plan->table_size * sizeof(*plan->table));
	if (!plan->table)
		return -ENOMEM;
	return maglev_build(members, n, plan->table, plan->table_size);
}

static int build_table(struct plan *plan, struct maglev_member *members, size_t n)
{
	switch (sl_scheduler_table(plan->scheduler)) {
	case SL_TABLE_MAGLEV:
		return build_maglev(plan, members, n);
	case SL_TABLE_TURNS:
		return build_turns(plan, members, n);
	case SL_TABLE_LIST:
		return build_list(plan, members, n);
	}
	return -EINVAL;
}

/* The same for a name on every machine and at every time. Should two names have one number,
 * their services share pins, which lead nowhere where the other's servers are not theirs.
 */
static unsigned group_of(const struct affinity_config *affinity)
{
	if (!affinity->timeout_ms || !affinity->group)
		return 0;
	return SL_AFFINITY_GROUP |
	       (unsigned)(hash_bytes(affinity->group, strlen(affinity->group), 0) &
			  (SL_AFFINITY_GROUP - 1));
}

static struct plan plan_of(const struct service_config *service, const struct ip *address)
{
	return (struct plan){
		.key = plan_service_key(service, address),
		.scheduler = service->scheduler,
		.flags = (__u8)((config_tracks(service) ? SL_SERVICE_TRACKED : 0) |
				(service->on_all_down == ON_ALL_DOWN_REJECT ? SL_SERVICE_REJECT
									    : 0)),
		.affinity_prefix =
			(__u8)(address->family == SL_FAMILY_IPV6 ? service->affinity.prefix_v6
								 : service->affinity.prefix_v4),
		.affinity_ms = service->affinity.timeout_ms,
		.affinity_group = group_of(&service->affinity),
		.n_limits = (__u8)service->n_limits,
		.table_size = service->table_size,
	};
}

/* The responder comes last; it takes new connections where nobody else does and the
 * service asks for it. It has the service's own address, as `dsr` wants it.
 */
static void add_responder(struct plan *plan, const struct sl_hop *hop, bool member)
{
	plan->backends[plan->n_backends++] = (struct plan_backend){
		.key = plan->key,
		.forward = SL_FORWARD_DSR,
		.responder = true,
		.serves = true,
		.member = member,
		.weight = 1,
		.resolved = true,
		.hop = *hop,
	};
}

int plan_build(const struct service_config *service, const struct ip *address,
	       const struct plan_input *inputs, const struct sl_hop *responder,
	       struct plan *ret_plan)
{
	const struct picking picking = { service, inputs, address->family };
	_cleanup_(plan_done) struct plan plan = plan_of(service, address);
	_cleanup_(cleanup_free) struct maglev_member *members = NULL;
	enum pick pick = pick_members(&picking, &plan.panic);
	size_t n_members = 0;
	int error;

	plan.backends = calloc(service->n_backends + 1, sizeof(*plan.backends));
	members = calloc(service->n_backends + 1, sizeof(*members));
	if (!plan.backends || !members)
		return -ENOMEM;
	for (size_t i = 0; i < service->n_backends; i++) {
		struct plan_backend *planned = &plan.backends[plan.n_backends];
		const struct plan_input *input = &inputs[i];

		yield_point();
		if (service->backends[i].ip.family != address->family || input->absent)
			continue;
		*planned = (struct plan_backend){
			.key = plan_backend_key(service, &service->backends[i]),
			.forward = service->forward,
			.member = picked(&picking, i, pick),
			.weight = input->weight,
			.resolved = input->resolved,
			.hop = input->hop,
			.origins = input->origins,
		};
		/* Where a link or a neighbour is gone for a moment, connections wait for
		 * it; where it is gone for good, the checks will say so.
		 */
		planned->serves = planned->member || (input->admin_state != ADMIN_DISABLED &&
						      input->health != PLAN_DEAD);
		if (planned->member)
			members[n_members++] = (struct maglev_member){
				.identity = backend_identity(&plan, &planned->key),
				.rank = ntohs(planned->key.port),
				.weight = input->weight,
				.value = (unsigned)plan.n_backends,
			};
		plan.n_backends++;
	}
	plan.n_members = (unsigned)n_members;
	if (responder) {
		bool last_resort = !n_members && service->on_all_down == ON_ALL_DOWN_RESPOND;

		if (last_resort)
			members[n_members++] = (struct maglev_member){
				.weight = 1,
				.value = (unsigned)plan.n_backends,
			};
		add_responder(&plan, responder, last_resort);
	}
	error = build_table(&plan, members, n_members);
	if (error)
		return error;
	*ret_plan = plan;
	plan = (struct plan){};
	return 0;
}

void plan_done(struct plan *plan)
{
	free(plan->backends);
	free(plan->table);
	*plan = (struct plan){};
}
