// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/deny.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/copy.h"
#include "lib/config/prefix_list.h"
#include "lib/config/rules.h"

static size_t count_prefixes(const struct config *config)
{
	size_t n = config->access.allow.n + config->access.deny.n;

	for (size_t i = 0; i < config->n_services; i++) {
		const struct service_config *service = &config->services[i];

		n += service->access.allow.n + service->access.deny.n;
		for (size_t j = 0; j < service->n_limits; j++)
			n += service->limits[j].exempt.n;
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static int add(struct prefix_list *list, const struct prefix *prefixes, size_t n)
{
	struct prefix *all = reallocarray(list->prefixes, list->n + n + 1, sizeof(*all));
	struct prefix *written;
	size_t before = list->n;

	if (!all)
		return -ENOMEM;
	list->prefixes = all;
	written = reallocarray(list->written, list->n_written + n + 1, sizeof(*written));
	if (!written)
		return -ENOMEM;
	list->written = written;
	for (size_t i = 0; i < n; i++) {
		if (before && bsearch(&prefixes[i], all, before, sizeof(*all), compare))
			continue;
		all[list->n++] = prefixes[i];
		written[list->n_written++] = prefixes[i];
	}
	prefix_list_sort(list);
	return 0;
}

int config_deny(const struct config *from, const struct prefix *prefixes, size_t n,
		struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = NULL;
	int error;

	if (count_prefixes(from) + n > CONFIG_PREFIXES_MAX)
		return -E2BIG;
	error = config_copy(from, &config);
	if (!error)
		error = add(&config->access.deny, prefixes, n);
	if (!error)
		error = config_check_rules(config, NULL, NULL, NULL);
	if (!error)
		*ret_config = TAKE_PTR(config);
	return error;
}
