// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/peers.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "daemon/datapath/internal.h"
#include "lib/balance/plan.h"
#include "lib/base/yield.h"

static struct sl_source peer_key(unsigned service, const struct sl_key *backend)
{
	return (struct sl_source){
		.addr = backend->addr,
		.id = service,
		.family = backend->family,
	};
}

/* Of several backends with one address the first is the one. */
int peers_put(const struct datapath *datapath, unsigned service, const struct plan *plan,
	      const unsigned *indices)
{
	int fd = datapath->maps.map[MAP_PEERS].fd;

	for (size_t i = plan->affinity_group ? plan->n_backends : 0; i-- > 0;) {
		struct sl_source key = peer_key(service, &plan->backends[i].key);
		__u32 index = indices[i];

		if (!plan->backends[i].responder && bpf_map_update_elem(fd, &key, &index, BPF_ANY))
			return -errno;
		yield_point();
	}
	return 0;
}

void peers_drop(const struct datapath *datapath, unsigned service,
		const struct installed_backend *backend)
{
	struct sl_source key = peer_key(service, &backend->key);
	int fd = datapath->maps.map[MAP_PEERS].fd;
	__u32 index;

	if (!bpf_map_lookup_elem(fd, &key, &index) && index == backend->index)
		(void)bpf_map_delete_elem(fd, &key);
}
