// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"

/* How many events one datapath_read_events() reads, so that a flood of them leaves the loop
 * time for everything else; the rest is there the next time.
 */
#define EVENTS_AT_ONCE 1024

struct events {
	struct ring_buffer *ring;
	/* Of the reading under way. */
	source_over_fn *over;
	void *arg;
	unsigned left;
};

/* A negative result ends the reading behind this event. */
static int on_event(void *arg, void *data, size_t size)
{
	struct events *events = arg;
	struct sl_event event;

	if (size >= sizeof(event)) {
		memcpy(&event, data, sizeof(event));
		events->over(events->arg, &event);
	}
	return --events->left ? 0 : -EAGAIN;
}

int datapath_events_fd(struct datapath *datapath)
{
	_cleanup_(cleanup_free) struct events *events = NULL;

	if (datapath->events)
		return ring_buffer__epoll_fd(datapath->events->ring);
	events = calloc(1, sizeof(*events));
	if (!events)
		return -ENOMEM;
	errno = 0;
	events->ring = ring_buffer__new(datapath->maps.map[MAP_EVENTS].fd, on_event, events, NULL);
	if (!events->ring)
		return errno ? -errno : -ENOMEM;
	datapath->events = TAKE_PTR(events);
	return ring_buffer__epoll_fd(datapath->events->ring);
}

void datapath_read_events(struct datapath *datapath, source_over_fn *over, void *arg)
{
	struct events *events = datapath->events;

	if (!events)
		return;
	events->over = over;
	events->arg = arg;
	events->left = EVENTS_AT_ONCE;
	(void)ring_buffer__consume(events->ring);
}

void events_free(struct events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	free(events);
}
