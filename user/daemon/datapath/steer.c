// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/steer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "lib/base/cleanup.h"
#include "responder.skel.h"

struct steer {
	struct responder_bpf *skeleton;
	struct bpf_link *link;
};

DEFINE_CLEANUP(steer_free, struct steer *);

int steer_new(int netns, struct steer **ret_steer)
{
	_cleanup_(steer_freep) struct steer *steer = calloc(1, sizeof(*steer));

	if (!steer)
		return -ENOMEM;
	steer->skeleton = responder_bpf__open_and_load();
	if (!steer->skeleton)
		return -errno;
	steer->link = bpf_program__attach_netns(steer->skeleton->progs.steer, netns);
	if (!steer->link)
		return -errno;
	*ret_steer = TAKE_PTR(steer);
	return 0;
}

int steer_to(struct steer *steer, int listener)
{
	__u64 value = (__u64)listener;
	__u32 first = 0;

	return bpf_map_update_elem(bpf_map__fd(steer->skeleton->maps.sl_listener), &first, &value,
				   BPF_ANY);
}

void steer_free(struct steer *steer)
{
	if (!steer)
		return;
	(void)bpf_link__destroy(steer->link);
	responder_bpf__destroy(steer->skeleton);
	free(steer);
}
