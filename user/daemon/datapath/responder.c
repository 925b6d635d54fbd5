// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/responder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "daemon/datapath/internal.h"

int datapath_attach_responder(const struct datapath *datapath, int ifindex)
{
	return bpf_xdp_attach(ifindex, datapath->program.fd,
			      XDP_FLAGS_UPDATE_IF_NOEXIST | XDP_FLAGS_DRV_MODE, NULL);
}

/* A dup() would be able to write. */
static int open_read_only(int fd)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, options, .open_flags = BPF_F_RDONLY);
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	fd = bpf_map_get_fd_by_id_opts(info.id, &options);
	return fd < 0 ? -errno : fd;
}

int datapath_responder_maps(const struct datapath *datapath, int ret_fds[static RESPOND_MAP_COUNT])
{
#define WANTED(enumerator, ...) MAP_##enumerator,
	static const enum map_name wanted[] = { RESPOND_MAPS(WANTED) };
#undef WANTED
	int fds[RESPOND_MAP_COUNT];

	for (int i = 0; i < RESPOND_MAP_COUNT; i++) {
		fds[i] = open_read_only(datapath->maps.map[wanted[i]].fd);
		if (fds[i] < 0) {
			int error = fds[i];

			while (i-- > 0)
				(void)close(fds[i]);
			return error;
		}
	}
	for (int i = 0; i < RESPOND_MAP_COUNT; i++)
		ret_fds[i] = fds[i];
	return 0;
}
