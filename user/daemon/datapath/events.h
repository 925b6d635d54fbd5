/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Events that the program reports by itself, through its ring buffer.
 */
#ifndef SLUICE_DAEMON_DATAPATH_EVENTS_H
#define SLUICE_DAEMON_DATAPATH_EVENTS_H

struct datapath;
struct events;
struct sl_event;

typedef void source_over_fn(void *arg, const struct sl_event *event);

/* A descriptor that becomes readable when events are there; -errno. Asking for it makes the
 * daemon listen.
 */
int datapath_events_fd(struct datapath *datapath);

/* Calls `over` for each event, at most 1024. */
void datapath_read_events(struct datapath *datapath, source_over_fn *over, void *arg);

/* For datapath_free(). Accepts NULL. */
void events_free(struct events *events);

#endif
