/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a reload would change.
 */
#ifndef SLUICE_LIB_CONFIG_COMPARE_H
#define SLUICE_LIB_CONFIG_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct service_config;

struct config_difference {
	size_t added, removed, changed; /* services, by name */
	/* Whether these differ; access: the lists of all services. */
	bool hash_seed, flows, limiter, ipip, access;
};

/* The same in everything that can be said about a service; where in the file it
 * stands does not count.
 */
bool config_service_equal(const struct service_config *a, const struct service_config *b);

/* 0 or -ENOMEM. */
int config_compare(const struct config *from, const struct config *to,
		   struct config_difference *ret_difference);

#endif
