// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/learning.h"

#include "daemon/datapath/internal.h"
#include "lib/alloc/idpool.h"

int learning_backend(struct learning *learning, struct installed *installed, unsigned index)
{
	struct datapath *datapath = learning->datapath;
	const struct sl_backend *backend;
	struct installed_backend learned;

	if (index >= datapath->maps.map[MAP_BACKENDS].entries)
		return 1;
	if (learning->owner[index].installed == installed)
		return 0;
	if (idpool_claim(datapath->backends.indices, index))
		return 1;
	backend = &datapath->maps.backends[index];
	learned = (struct installed_backend){
		.key = {
			.addr = backend->addr,
			.port = backend->port,
			.proto = installed->key.proto,
			.family = backend->family,
		},
		.index = index,
		.hop_known = backend->hops[backend->state & SL_BACKEND_HOP].ifindex != 0,
	};
	learning->owner[index] = (struct learning_owner){ installed, installed->n_backends };
	return installed_add_backend(installed, &learned);
}
