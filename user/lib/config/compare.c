// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/yield.h"
#include "lib/config/config.h"
#include "lib/config/section.h"

bool config_service_equal(const struct service_config *a, const struct service_config *b)
{
	return section_equal(&section_service, a, b);
}

/* Whether the two have another value for a key of the file. */
static bool differ_in(const char *name, const struct config *a, const struct config *b)
{
	return !key_equal(section_key(&section_config, name), a, b);
}

static int compare_names(const void *a, const void *b)
{
	const struct service_config *const *left = a, *const *right = b;

	yield_point();
	return strcmp((*left)->name, (*right)->name);
}

/* The services, sorted by name; the caller's to free. */
static const struct service_config **sorted(const struct config *config)
{
	const struct service_config **list = calloc(config->n_services + 1, sizeof(*list));

	for (size_t i = 0; list && i < config->n_services; i++)
		list[i] = &config->services[i];
	if (list)
		qsort(list, config->n_services, sizeof(*list), compare_names);
	return list;
}

int config_compare(const struct config *from, const struct config *to,
		   struct config_difference *ret_difference)
{
	_cleanup_(cleanup_free) const struct service_config **old = sorted(from);
	_cleanup_(cleanup_free) const struct service_config **new = sorted(to);
	struct config_difference difference = {
		.hash_seed = differ_in("hash_seed", from, to),
		.flows = differ_in("flows", from, to),
		.limiter = differ_in("limiter", from, to),
		.ipip = differ_in("ipip", from, to),
		.access = differ_in("allow", from, to) || differ_in("deny", from, to),
	};
	size_t i = 0, j = 0;

	if (!old || !new)
		return -ENOMEM;
	while (i < from->n_services || j < to->n_services) {
		int order = i == from->n_services ? 1
			    : j == to->n_services ? -1
						  : strcmp(old[i]->name, new[j]->name);

		if (order < 0) {
			difference.removed++;
			i++;
		} else if (order > 0) {
			difference.added++;
			j++;
		} else {
			difference.changed += !config_service_equal(old[i++], new[j++]);
		}
	}
	*ret_difference = difference;
	return 0;
}
