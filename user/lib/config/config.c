// SPDX-License-Identifier: BSD-2-Clause
/* The end of a configuration, and finding things in it. */
#include "lib/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/config/section.h"

void config_free(struct config *config)
{
	if (!config)
		return;
	section_done(&section_config, config);
	free(config->by_name);
	free(config);
}

static int compare_name(const void *name, const void *service)
{
	return strcmp(name, (*(const struct service_config *const *)service)->name);
}

const struct service_config *config_find_service(const struct config *config, const char *name)
{
	const struct service_config *const *found;

	if (!config->by_name)
		return NULL;
	found = bsearch(name, config->by_name, config->n_services, sizeof(*config->by_name),
			compare_name);
	return found ? *found : NULL;
}
