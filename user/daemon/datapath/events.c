// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/ring.h"
#include "lib/base/cleanup.h"

#define EVENTS_AT_ONCE 1024

struct events {
	struct ring *ring;
	/* Of the reading under way. */
	source_over_fn *over;
	void *arg;
};

static void on_entry(void *arg, const void *entry, size_t size)
{
	struct events *events = arg;
	struct sl_event event;

	if (size < sizeof(event))
		return;
	memcpy(&event, entry, sizeof(event));
	events->over(events->arg, &event);
}

int datapath_events_fd(struct datapath *datapath)
{
	_cleanup_(cleanup_free) struct events *events = NULL;
	int error;

	if (datapath->events)
		return ring_fd(datapath->events->ring);
	events = calloc(1, sizeof(*events));
	if (!events)
		return -ENOMEM;
	error = ring_new(datapath->maps.map[MAP_EVENTS].fd, on_entry, events, &events->ring);
	if (error)
		return error;
	datapath->events = TAKE_PTR(events);
	return ring_fd(datapath->events->ring);
}

void datapath_read_events(struct datapath *datapath, source_over_fn *over, void *arg)
{
	struct events *events = datapath->events;

	if (!events)
		return;
	events->over = over;
	events->arg = arg;
	ring_read(events->ring, EVENTS_AT_ONCE);
}

void events_free(struct events *events)
{
	if (!events)
		return;
	ring_free(events->ring);
	free(events);
}
