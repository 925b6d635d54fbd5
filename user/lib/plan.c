// SPDX-License-Identifier: BSD-2-Clause
#include "lib/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/maglev.h"
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

/* What makes a backend the same one on every machine: where it is. */
static uint64_t backend_identity(const struct sl_key *key)
{
	uint64_t h = sl_hash_mix(key->addr.halves[0] ^ key->family);

	h = sl_hash_mix(h ^ key->addr.halves[1]);
	return sl_hash_mix(h ^ key->port);
}

static int build_table(struct plan *plan, struct maglev_member *members, size_t n)
{
	plan->n_serving = (unsigned)n;
	plan->table = malloc(plan->table_size * sizeof(*plan->table));
	if (!plan->table)
		return -ENOMEM;
	return maglev_build(members, n, plan->table, plan->table_size);
}

int plan_build(const struct service_config *service, const struct ip *address,
	       const struct plan_input *inputs, struct plan *ret_plan)
{
	_cleanup_(plan_done) struct plan plan = {
		.key = plan_service_key(service, address),
		.forward = service->forward,
		.limit = service->limit.rate,
		.table_size = service->table_size,
	};
	_cleanup_(cleanup_free) struct maglev_member *members = NULL;
	size_t n_members = 0;
	int error;

	plan.backends = calloc(service->n_backends, sizeof(*plan.backends));
	members = calloc(service->n_backends, sizeof(*members));
	if (!plan.backends || !members)
		return -ENOMEM;
	for (size_t i = 0; i < service->n_backends; i++) {
		const struct backend_config *backend = &service->backends[i];
		struct plan_backend *planned = &plan.backends[plan.n_backends];

		if (backend->ip.family != address->family)
			continue;
		planned->key = plan_backend_key(service, backend);
		planned->resolved = inputs[i].resolved;
		planned->hop = inputs[i].hop;
		if (inputs[i].up && inputs[i].resolved && backend->weight)
			members[n_members++] = (struct maglev_member){
				.identity = backend_identity(&planned->key),
				.weight = backend->weight,
				.value = (unsigned)plan.n_backends,
			};
		plan.n_backends++;
	}
	error = build_table(&plan, members, n_members);
	if (error)
		return error;
	*ret_plan = plan;
	plan = (struct plan){ 0 };
	return 0;
}

void plan_done(struct plan *plan)
{
	free(plan->backends);
	free(plan->table);
	*plan = (struct plan){ 0 };
}
