/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's state, and the one way in which it changes: whatever happens
 * (reload, health, next hop) marks services dirty; server_reconcile() plans
 * and applies them. api.c reads this through view.c and calls the functions
 * below; nothing else is done to it from outside.
 */
#ifndef SLUICE_SERVER_H
#define SLUICE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/checks.h"
#include "daemon/hops.h"
#include "daemon/interfaces.h"
#include "lib/config.h"

struct diag;
struct datapath;
struct server;
struct uv_loop_s;
struct uv_timer_s;

struct server_options {
	const char *config_path;
	const char *socket_path;
	const char *pin_dir;
	bool keep; /* on stop, leave program and pins where they are */
};

/* A backend of a running service; config points into server->config. */
struct backend {
	struct service *service;
	const struct backend_config *config;
	struct check *check;
	struct hop_watch *hop;
};

struct service {
	struct server *server;
	const struct service_config *config;
	struct backend *backends; /* config->n_backends, in its order */
	unsigned serving[CONFIG_ADDRESSES_MAX]; /* per address: backends that have slots */
	bool dirty; /* in the maps it is not as it should be */
	char error[768]; /* why it could not be applied; empty: it was */
};

struct server {
	struct uv_loop_s *loop;
	struct server_options options;
	struct config *config; /* what runs */
	struct datapath *datapath;
	struct hops *hops;
	struct checks *checks;
	struct service *services; /* config->n_services, in its order */
	struct attachment *attachments;
	size_t n_attachments;
	struct uv_timer_s *reconcile; /* runs server_reconcile() once, soon */
	bool running; /* the start has succeeded */
	bool took_over; /* program and maps were there before us */
	bool stopping;
	unsigned long long started_ms; /* wall clock, Unix time */
	unsigned long long reloaded_ms; /* wall clock of the last successful (re)load */
};

/* Why a backend gets no new connections, or "" if it does: "down: connection
 * refused", "no neighbour answers for ...", "weight 0". Returns buffer.
 */
const char *backend_explain(const struct backend *backend, char *buffer, size_t size);

/* True: up, resolved, weight not 0. */
bool backend_serves(const struct backend *backend);

/* Opens (or takes over) the datapath, starts checking, fills the maps, attaches
 * to the interfaces. Takes config, also on failure. The loop is the caller's to
 * run; options are copied, their strings are borrowed. 0 or -errno and diag.
 */
int server_new(struct uv_loop_s *loop, const struct server_options *options,
	       struct config *config, struct diag *diag, struct server **ret_server);

/* Detaches (unless options.keep) and frees; run the loop until it is empty
 * first: server_stop(), uv_run(), server_free(). Both accept NULL.
 */
void server_stop(struct server *server);
void server_free(struct server *server);

/* Something has changed for this service: it is brought up to date soon. */
void server_touch(struct service *service);

/* Plans and applies every service that is dirty. */
void server_reconcile(struct server *server);

struct server_change {
	size_t added, removed, changed; /* services */
};

/* Reads the file again and applies the difference, or nothing at all: -errno
 * and diag.
 */
int server_reload(struct server *server, struct diag *diag, struct server_change *ret_change);

/* Checks a configuration (text NULL: the file) as a reload would, and changes
 * nothing.
 */
int server_check(struct server *server, const char *text, size_t length, const char *name,
		 struct diag *diag, struct server_change *ret_change);

/* At run time, until the next reload. -ENODEV, -EBUSY, ...: diag says it. */
int server_attach(struct server *server, const char *interface, enum attach_mode mode,
		  struct diag *diag);
int server_detach(struct server *server, const char *interface, struct diag *diag);

#endif
