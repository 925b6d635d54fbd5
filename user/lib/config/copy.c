// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/copy.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/section.h"

int config_copy(const struct config *from, struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	int error;

	if (!config)
		return -ENOMEM;
	error = section_copy(&section_config, from, config);
	config->by_name = NULL;
	config->backends_by_name = NULL;
	if (error)
		return error;
	for (size_t i = 0; i < config->n_services; i++)
		config->services[i].by_name = NULL;
	*ret_config = TAKE_PTR(config);
	return 0;
}
