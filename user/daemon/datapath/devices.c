// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/devices.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"

/* The devices that were put since the last begin. */
struct devices {
	unsigned ifindex[SL_DEFAULT_DEVICES];
	unsigned n;
};

void datapath_forget_routes(struct datapath *datapath)
{
	__atomic_fetch_add(&datapath->maps.tuning->route_generation, 1, __ATOMIC_RELEASE);
}

void datapath_devices_begin(struct datapath *datapath)
{
	if (!datapath->devices)
		datapath->devices = calloc(1, sizeof(*datapath->devices));
	else
		datapath->devices->n = 0;
}

int datapath_devices_put(struct datapath *datapath, unsigned ifindex,
			 const struct sl_device *device)
{
	struct devices *devices = datapath->devices;

	if (!devices)
		return -ENOMEM;
	if (devices->n == SL_DEFAULT_DEVICES)
		return -ENOSPC;
	devices->ifindex[devices->n++] = ifindex;
	return bpf_map_update_elem(datapath->maps.map[MAP_DEVICES].fd, &ifindex, device, BPF_ANY)
		       ? -errno
		       : 0;
}

static bool was_put(const struct devices *devices, unsigned ifindex)
{
	for (unsigned i = 0; devices && i < devices->n; i++)
		if (devices->ifindex[i] == ifindex)
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
		if (!was_put(datapath->devices, key))
			(void)bpf_map_delete_elem(fd, &key);
		key = next;
	}
}
