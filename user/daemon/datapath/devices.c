// SPDX-License-Identifier: BSD-2-Clause
/* Which devices take frames; few, and seldom changed. */
#include <bpf/bpf.h>
#include <errno.h>

#include "daemon/datapath/internal.h"

void datapath_forget_routes(struct datapath *datapath)
{
	__atomic_fetch_add(&datapath->maps.tuning->route_generation, 1, __ATOMIC_RELEASE);
}

void datapath_devices_begin(struct datapath *datapath)
{
	datapath->n_devices = 0;
}

int datapath_devices_put(struct datapath *datapath, unsigned ifindex,
			 const struct sl_device *device)
{
	if (datapath->n_devices == SL_DEFAULT_DEVICES)
		return -ENOSPC;
	datapath->devices[datapath->n_devices++] = ifindex;
	return bpf_map_update_elem(datapath->maps.map[MAP_DEVICES].fd, &ifindex, device, BPF_ANY)
		       ? -errno
		       : 0;
}

static bool was_put(const struct datapath *datapath, unsigned ifindex)
{
	for (unsigned i = 0; i < datapath->n_devices; i++)
		if (datapath->devices[i] == ifindex)
			return true;
	return false;
}

void datapath_devices_end(struct datapath *datapath)
{
	int fd = datapath->maps.map[MAP_DEVICES].fd;
	unsigned key, next;
	int error = bpf_map_get_next_key(fd, NULL, &key);

	while (!error) {
		error = bpf_map_get_next_key(fd, &key, &next);
		if (!was_put(datapath, key))
			(void)bpf_map_delete_elem(fd, &key);
		key = next;
	}
}
