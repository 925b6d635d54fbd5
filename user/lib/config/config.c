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
	free(config->backends_by_name);
	free(config);
}

static int compare_service(const void *name, const void *service)
{
	return strcmp(name, (*(const struct service_config *const *)service)->name);
}

const struct service_config *config_find_service(const struct config *config, const char *name)
{
	const struct service_config *const *found;

	if (!config->by_name)
		return NULL;
	found = bsearch(name, config->by_name, config->n_services, sizeof(*config->by_name),
			compare_service);
	return found ? *found : NULL;
}

static int compare_backend(const void *name, const void *backend)
{
	return strcmp(name, (*(const struct backend_config *const *)backend)->name);
}

const struct backend_config *config_find_backend(const struct service_config *service,
						 const char *name)
{
	const struct backend_config *const *found;

	if (!service->by_name)
		return NULL;
	found = bsearch(name, service->by_name, service->n_backends, sizeof(*service->by_name),
			compare_backend);
	return found ? *found : NULL;
}

bool config_tracks(const struct service_config *service)
{
	return sl_scheduler_tracks(service->scheduler) || service->affinity.timeout_ms;
}
