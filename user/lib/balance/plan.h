/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the maps should hold for one service address: the meeting of desired
 * state (configuration, admin states) and observed state (health, next
 * hops). Pure: depends on its arguments alone, so two machines with the same
 * ones agree on every slot.
 */
#ifndef SLUICE_LIB_BALANCE_PLAN_H
#define SLUICE_LIB_BALANCE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/config.h"

#define PLAN_NO_BACKEND (~0U)

enum plan_health {
	PLAN_UP,
	PLAN_NOT_READY, /* answers its check, but not well: finishes what it has */
	PLAN_DEAD,      /* does not answer: nobody there is left to protect */
};

struct plan_input {
	enum plan_health health;
	enum admin_state admin_state;
	unsigned weight;  /* the configured one, unless it starts slowly */
	bool served_last; /* took new connections when anybody last did */
	bool resolved;    /* hop is known */
	bool absent;      /* is left out: the maps have no room for it now */
	struct sl_hop hop;
	const struct sl_origin *origins; /* SL_ORIGINS of them; NULL: none */
};

struct plan_backend {
	struct sl_key key; /* address, port, protocol */
	enum sl_forward forward;
	bool responder; /* sluice's own, which answers over limits or where nobody serves */
	bool serves;    /* its established connections go on */
	bool member;    /* takes new connections */
	unsigned weight;
	bool resolved;
	struct sl_hop hop;
	const struct sl_origin *origins; /* of the input */
};

struct plan {
	struct sl_key key;
	enum sl_scheduler scheduler;
	__u8 flags; /* SL_SERVICE_* */
	__u8 affinity_prefix;
	unsigned affinity_ms;
	unsigned affinity_group; /* the number of its name: SL_AFFINITY_GROUP; 0: none */
	/* Of the maps, and the caller's to fill in: the service's limits (n_limits of them)
	 * and its access list; 0: none.
	 */
	unsigned limits;
	__u8 n_limits;
	unsigned access;
	struct plan_backend *backends; /* of the service address's family; the responder last */
	size_t n_backends;
	unsigned *table; /* table_size slots: index into backends, or PLAN_NO_BACKEND */
	unsigned table_size;
	unsigned n_members; /* without the responder */
	bool panic;         /* too few are healthy: health is ignored */
};

/* inputs[i] is about service->backends[i]. address is one of the service's; its
 * family picks the backends. responder: the way to it, NULL where it does not run or
 * the service does not use it. 0 or -ENOMEM. plan_done() frees.
 */
int plan_build(const struct service_config *service, const struct ip *address,
	       const struct plan_input *inputs, const struct sl_hop *responder,
	       struct plan *ret_plan);
void plan_done(struct plan *plan);

/* The keys that the maps know a service and a backend by. */
struct sl_key plan_service_key(const struct service_config *service, const struct ip *address);
struct sl_key plan_backend_key(const struct service_config *service,
			       const struct backend_config *backend);

#endif
