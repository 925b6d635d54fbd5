/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether two configurations are the same in everything, in the same order; places
 * in the file do not count. The daemon never asks: it goes by config_compare().
 */
#ifndef SLUICE_TESTS_UNIT_CONFIG_EQUAL_H
#define SLUICE_TESTS_UNIT_CONFIG_EQUAL_H

#include <string.h>

#include "lib/config/compare.h"
#include "lib/config/config.h"
#include "lib/config/prefix_list.h"

static inline bool interfaces_equal(const struct config *a, const struct config *b)
{
	if (a->n_interfaces != b->n_interfaces)
		return false;
	for (size_t i = 0; i < a->n_interfaces; i++)
		if (strcmp(a->interfaces[i].name, b->interfaces[i].name) != 0 ||
		    a->interfaces[i].mode != b->interfaces[i].mode)
			return false;
	return true;
}

static inline bool config_equal(const struct config *a, const struct config *b)
{
	if (a->hash_seed != b->hash_seed || !config_flows_equal(&a->flows, &b->flows) ||
	    !config_limiter_equal(&a->limiter, &b->limiter) ||
	    !config_ipip_equal(&a->ipip, &b->ipip) || !access_equal(&a->access, &b->access) ||
	    !interfaces_equal(a, b) || a->n_services != b->n_services)
		return false;
	for (size_t i = 0; i < a->n_services; i++)
		if (!config_service_equal(&a->services[i], &b->services[i]))
			return false;
	return true;
}

#endif
