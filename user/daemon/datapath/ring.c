// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"

struct ring {
	struct ring_buffer *buffer;
	ring_entry_fn *entry;
	void *arg;
	unsigned left; /* of the reading under way */
};

/* A negative result ends the reading behind this entry. */
static int on_entry(void *arg, void *data, size_t size)
{
	struct ring *ring = arg;

	ring->entry(ring->arg, data, size);
	return --ring->left ? 0 : -EAGAIN;
}

int ring_new(int map_fd, ring_entry_fn *entry, void *arg, struct ring **ret_ring)
{
	_cleanup_(cleanup_free) struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	ring->entry = entry;
	ring->arg = arg;
	errno = 0;
	ring->buffer = ring_buffer__new(map_fd, on_entry, ring, NULL);
	if (!ring->buffer)
		return errno ? -errno : -ENOMEM;
	*ret_ring = TAKE_PTR(ring);
	return 0;
}

int ring_fd(const struct ring *ring)
{
	return ring_buffer__epoll_fd(ring->buffer);
}

void ring_read(struct ring *ring, unsigned at_once)
{
	ring->left = at_once;
	(void)ring_buffer__consume(ring->buffer);
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	ring_buffer__free(ring->buffer);
	free(ring);
}
