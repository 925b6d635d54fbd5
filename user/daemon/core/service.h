/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions about one running service. Only reads.
 */
#ifndef SLUICE_DAEMON_CORE_SERVICE_H
#define SLUICE_DAEMON_CORE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/config.h"

struct service;

/* down: no backend gets connections. degraded: a backend that should does not,
 * or is not healthy, one of the addresses has none, health is ignored, or the
 * service could not be applied.
 */
enum service_state { SERVICE_OK, SERVICE_DEGRADED, SERVICE_DOWN };
enum service_state service_state(const struct service *service);

/* How many of its backends get new connections. */
size_t service_serving(const struct service *service);

/* Whether it has an address of this family. */
bool service_has_family(const struct service *service, __u8 family);

/* The keys by which the maps know its addresses, in their order. Returns how many. */
size_t service_keys(const struct service *service,
		    struct sl_key ret_keys[static CONFIG_ADDRESSES_MAX]);

/* One of its limits (number: from 1, in the configuration's order) as it is in the maps,
 * and its index there; valid until the next change. NULL: it is not in the maps, or the
 * service could not be applied: then an older limit may run in its place.
 */
const struct sl_limit *service_limit(const struct service *service, unsigned number,
				     unsigned *ret_index);

#endif
