/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's state, and the one way in which it changes: whatever happens
 * (reload, health, next hop) marks services dirty; server_reconcile() plans
 * and applies them. api/api.c reads this through api/view/services.c and calls the functions
 * below; nothing else is done to it from outside.
 */
#ifndef SLUICE_DAEMON_CORE_SERVER_H
#define SLUICE_DAEMON_CORE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "daemon/datapath/attach.h"
#include "daemon/health/checks.h"
#include "daemon/nexthop/nexthops.h"
#include "lib/config/config.h"
#include "lib/config/edit.h"

struct diag;
struct datapath;
struct limit_log;
struct responder;
struct server;
struct uv_loop_s;
struct uv_poll_s;
struct uv_timer_s;
struct upkeep;

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
	bool member;      /* takes new connections, at one address of the service at least */
	bool served_last; /* was a member when anybody last was */
	bool inherited;   /* its connections went on when the daemon took over */
	unsigned long long
		slow_since_ms; /* uv_now() when its slow start began; 0: at full weight */
};

struct service {
	struct server *server;
	const struct service_config *config;
	struct backend *backends; /* config->n_backends, in its order */
	unsigned
		serving[CONFIG_ADDRESSES_MAX]; /* per address: backends that take new connections */
	bool panic; /* too few are healthy, so that health is ignored (min_healthy) */
	bool dirty; /* in the maps it is not as it should be: in server->dirty */
	TAILQ_ENTRY(service) dirty_link;
	char error[768]; /* why it could not be applied; empty: it was */
};

/* What the operator has changed at run time: stays when the file is read again,
 * until it is saved to the file or taken back.
 */
struct server_edit {
	struct config_change change;
	unsigned long long deadline_ms; /* uv_now() at which a drain ends in disabled; 0: never */
	bool unfit;                     /* could not be made again when the file was last read */
};

struct server {
	struct uv_loop_s *loop;
	struct server_options options;
	struct config *config; /* what runs: the file's, with the edits made */
	/* The file's alone, as of when it was last read or saved; `config` itself while
	 * there are no edits.
	 */
	struct config *file;
	struct server_edit *edits; /* in the order in which they were made */
	size_t n_edits;
	struct datapath *datapath;
	struct hops *hops;
	struct checks *checks;
	struct service *services; /* config->n_services, in its order */
	TAILQ_HEAD(, service) dirty;
	struct attachment *attachments;
	size_t n_attachments;
	struct uv_timer_s *reconcile; /* runs on_dirty() once, soon */
	void (*on_dirty)(struct uv_timer_s *timer);
	struct upkeep *upkeep;       /* what is done by the clock (core/upkeep.h) */
	struct responder *responder; /* NULL while no service asks for it */
	struct limit_log *limit_log;
	struct uv_poll_s *events; /* of the program, for limit_log */
	bool running;             /* the start has succeeded */
	bool took_over;           /* program and maps were there before us */
	bool stopping;
	unsigned long long started_ms;  /* wall clock, Unix time */
	unsigned long long reloaded_ms; /* wall clock of the last successful (re)load */
};

/* Why a backend gets no new connections, or "" if it does: "down: connection
 * refused", "no neighbour answers for ...", "weight 0". Returns buffer.
 */
const char *backend_explain(const struct backend *backend, char *buffer, size_t size);

/* True: takes new connections. */
bool backend_serves(const struct backend *backend);

/* Opens (or takes over) the datapath, starts checking, fills the maps, attaches
 * to the interfaces. Takes config, also on failure. The loop is the caller's to
 * run; options are copied, their strings are borrowed. 0 or -errno and diag.
 */
int server_new(struct uv_loop_s *loop, const struct server_options *options, struct config *config,
	       struct diag *diag, struct server **ret_server);

/* Detaches (unless options.keep) and frees; run the loop until it is empty
 * first: server_stop(), uv_run(), server_free(). Both accept NULL.
 */
void server_stop(struct server *server);
void server_free(struct server *server);

/* Unix time, as started_ms and reloaded_ms are. */
unsigned long long server_wall_clock_ms(void);

/* Something has changed for this service: it is brought up to date soon. */
void server_touch(struct service *service);

/* Plans and applies every service that is dirty. */
void server_reconcile(struct server *server);

/* The same for services that have just been made; the maps then hold them and no
 * others.
 */
void server_reconcile_all(struct server *server);

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

/* Changes one backend at run time; when this returns 0, packets go by it.
 * timeout_ms: of a drain, after which the backend is disabled; 0: none.
 */
int server_edit(struct server *server, const struct config_change *change, unsigned timeout_ms,
		struct diag *diag);

/* Writes what runs to the configuration file (the old one stays beside it as
 * FILE.old), and forgets the edits.
 */
int server_save(struct server *server, struct diag *diag);

/* Tenths of its weight that the backend has now: 10 unless it starts slowly. */
unsigned backend_weight_tenths(const struct backend *backend);

/* Live connections of the backend that are tracked, over all addresses. All are,
 * while it drains and whenever the scheduler tracks each flow; else those of
 * slots in transition.
 */
unsigned backend_live(const struct backend *backend);

/* At run time, until the next reload. -ENODEV, -EBUSY, ...: diag says it. */
int server_attach(struct server *server, const char *interface, enum attach_mode mode,
		  struct diag *diag);
int server_detach(struct server *server, const char *interface, struct diag *diag);

#endif
