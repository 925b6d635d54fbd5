// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/limits/watch.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/core/balancer.h"
#include "daemon/datapath/events.h"
#include "daemon/limits/offenders.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define TICK_MS 1000

struct limits_watch {
	struct balancer *balancer;
	struct offenders *offenders;
	uv_poll_t events;
	uv_timer_t tick;
	unsigned open; /* handles that the loop holds */
};

static void on_over(void *arg, const struct sl_event *event)
{
	offenders_over(arg, event);
}

static void on_events(uv_poll_t *handle, int status, int events)
{
	struct limits_watch *watch = handle->data;

	(void)events;
	if (status >= 0)
		datapath_read_events(watch->balancer->datapath, on_over, watch->offenders);
}

static void on_tick(uv_timer_t *timer)
{
	offenders_tick(((struct limits_watch *)timer->data)->offenders);
}

int limits_watch_new(struct balancer *balancer, struct diag *diag, struct limits_watch **ret_watch)
{
	_cleanup_(cleanup_free) struct limits_watch *watch = calloc(1, sizeof(*watch));
	int fd = datapath_events_fd(balancer->datapath);

	if (fd < 0)
		return diag_set(diag, -fd, "cannot listen to the program: %s", strerror(-fd));
	if (!watch || offenders_new(balancer, &watch->offenders))
		return diag_no_memory(diag);
	watch->balancer = balancer;
	watch->events.data = watch->tick.data = watch;
	watch->open = 2;
	(void)uv_poll_init(balancer->loop, &watch->events, fd);
	(void)uv_timer_init(balancer->loop, &watch->tick);
	(void)uv_poll_start(&watch->events, UV_READABLE, on_events);
	(void)uv_timer_start(&watch->tick, on_tick, TICK_MS, TICK_MS);
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct limits_watch *watch = handle->data;

	if (!--watch->open)
		free(watch);
}

void limits_watch_free(struct limits_watch *watch)
{
	if (!watch)
		return;
	offenders_free(TAKE_PTR(watch->offenders));
	uv_close((uv_handle_t *)&watch->events, on_closed);
	uv_close((uv_handle_t *)&watch->tick, on_closed);
}
