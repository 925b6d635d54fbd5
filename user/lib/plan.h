/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the maps should hold for one service address: the meeting of desired
 * state (configuration) and observed state (health, next hops). Pure: depends
 * on its arguments alone, so two machines with the same ones agree on every
 * slot.
 */
#ifndef SLUICE_PLAN_H
#define SLUICE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config.h"

#define PLAN_NO_BACKEND (~0U)

struct plan_input {
	bool up; /* health */
	bool resolved; /* hop is known */
	struct sl_hop hop;
};

struct plan_backend {
	struct sl_key key; /* address, port, protocol */
	bool resolved;
	struct sl_hop hop;
};

struct plan {
	struct sl_key key;
	enum sl_forward forward;
	struct sl_rate limit;
	struct plan_backend *backends; /* of the service address's family */
	size_t n_backends;
	unsigned *table; /* table_size slots: index into backends, or PLAN_NO_BACKEND */
	unsigned table_size;
	unsigned n_serving; /* backends that got slots' traffic: up, resolved, weight not 0 */
};

/* inputs[i] is about service->backends[i]. address is one of the service's; its
 * family picks the backends. 0 or -ENOMEM. plan_done() frees.
 */
int plan_build(const struct service_config *service, const struct ip *address,
	       const struct plan_input *inputs, struct plan *ret_plan);
void plan_done(struct plan *plan);

/* The keys that the maps know a service and a backend by. */
struct sl_key plan_service_key(const struct service_config *service, const struct ip *address);
struct sl_key plan_backend_key(const struct service_config *service,
			       const struct backend_config *backend);

#endif
