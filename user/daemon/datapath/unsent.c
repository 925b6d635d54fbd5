// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/unsent.h"

#include <bpf/bpf.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/ring.h"

int datapath_unsent_ring(const struct datapath *datapath,
			 void (*entry)(void *arg, const void *entry, size_t size), void *arg,
			 struct ring **ret_ring)
{
	return ring_new(datapath->maps.map[MAP_UNSENT].fd, entry, arg, ret_ring);
}

/* value: NULL removes the key. */
static void set(const struct datapath *datapath, enum map_name map, const void *key,
		const void *value)
{
	int fd = datapath->maps.map[map].fd;

	if (value)
		(void)bpf_map_update_elem(fd, key, value, BPF_ANY);
	else
		(void)bpf_map_delete_elem(fd, key);
}

void datapath_set_handover(const struct datapath *datapath, const struct sl_handover *handover,
			   bool forwards)
{
	static const __u32 yes = 1;

	set(datapath, MAP_HANDOVERS, handover, forwards ? &yes : NULL);
}

void datapath_set_port(const struct datapath *datapath, const struct sl_port *port,
		       const struct sl_device *device)
{
	set(datapath, MAP_PORTS, port, device);
}

void datapath_forget_unsent(const struct datapath *datapath)
{
	struct sl_handover handover;
	struct sl_port port;

	while (!bpf_map_get_next_key(datapath->maps.map[MAP_HANDOVERS].fd, NULL, &handover))
		datapath_set_handover(datapath, &handover, false);
	while (!bpf_map_get_next_key(datapath->maps.map[MAP_PORTS].fd, NULL, &port))
		datapath_set_port(datapath, &port, NULL);
}
