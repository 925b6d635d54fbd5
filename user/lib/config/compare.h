/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a reload would change.
 */
#ifndef SLUICE_LIB_CONFIG_COMPARE_H
#define SLUICE_LIB_CONFIG_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

struct check_config;
struct config;
struct flows_config;
struct ipip_config;
struct limiter_config;
struct respond_config;
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

bool config_check_equal(const struct check_config *a, const struct check_config *b);
bool config_flows_equal(const struct flows_config *a, const struct flows_config *b);
bool config_limiter_equal(const struct limiter_config *a, const struct limiter_config *b);
bool config_ipip_equal(const struct ipip_config *a, const struct ipip_config *b);
bool config_respond_equal(const struct respond_config *a, const struct respond_config *b);

/* 0 or -ENOMEM. */
int config_compare(const struct config *from, const struct config *to,
		   struct config_difference *ret_difference);

#endif
