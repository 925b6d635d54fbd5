/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's state, and the one way in which it changes: whatever happens
 * (reload, health, next hop) marks services dirty; balancer_reconcile() plans
 * and applies them. api/api.c reads this through api/view/services.c and calls the functions
 * below; nothing else is done to it from outside.
 */
#ifndef SLUICE_DAEMON_CORE_BALANCER_H
#define SLUICE_DAEMON_CORE_BALANCER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "daemon/datapath/attachment.h"
#include "daemon/health/checks.h"
#include "daemon/nexthop/nexthops.h"
#include "lib/config/config.h"
#include "lib/config/edit.h"

struct diag;
struct datapath;
struct limit_log;
struct responder;
struct balancer;
struct uv_loop_s;
struct uv_poll_s;
struct uv_timer_s;
struct upkeep;

struct balancer_options {
	const char *config_path;
	const char *socket_path;
	const char *pin_dir;
	bool keep; /* on stop, leave program and pins where they are */
};

/* A backend of a running service; config points into balancer->config. */
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
	struct balancer *balancer;
	const struct service_config *config;
	struct backend *backends; /* config->n_backends, in its order */
	unsigned
		serving[CONFIG_ADDRESSES_MAX]; /* per address: backends that take new connections */
	bool panic; /* too few are healthy, so that health is ignored (min_healthy) */
	bool dirty; /* in the maps it is not as it should be: in balancer->dirty */
	TAILQ_ENTRY(service) dirty_link;
	char error[768]; /* why it could not be applied; empty: it was */
};

/* What the operator has changed at run time: stays when the file is read again,
 * until it is saved to the file or taken back.
 */
struct balancer_edit {
	struct config_change change;
	unsigned long long deadline_ms; /* uv_now() at which a drain ends in disabled; 0: never */
	bool unfit;                     /* could not be made again when the file was last read */
};

struct balancer {
	struct uv_loop_s *loop;
	struct balancer_options options;
	struct config *config; /* what runs: the file's, with the edits made */
	/* The file's alone, as of when it was last read or saved; `config` itself while
	 * there are no edits.
	 */
	struct config *file;
	struct balancer_edit *edits; /* in the order in which they were made */
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
int balancer_new(struct uv_loop_s *loop, const struct balancer_options *options,
		 struct config *config, struct diag *diag, struct balancer **ret_balancer);

/* Detaches (unless options.keep) and frees; run the loop until it is empty
 * first: balancer_stop(), uv_run(), balancer_free(). Both accept NULL.
 */
void balancer_stop(struct balancer *balancer);
void balancer_free(struct balancer *balancer);

/* Unix time, as started_ms and reloaded_ms are. */
unsigned long long balancer_wall_clock_ms(void);

/* Something has changed for this service: it is brought up to date soon. */
void balancer_touch(struct service *service);

/* Plans and applies every service that is dirty. */
void balancer_reconcile(struct balancer *balancer);

/* The same for services that have just been made; the maps then hold them and no
 * others.
 */
void balancer_reconcile_all(struct balancer *balancer);

struct balancer_change {
	size_t added, removed, changed; /* services */
};

/* Reads the file again and applies the difference, or nothing at all: -errno
 * and diag.
 */
int balancer_reload(struct balancer *balancer, struct diag *diag,
		    struct balancer_change *ret_change);

/* Checks a configuration (text NULL: the file) as a reload would, and changes
 * nothing.
 */
int balancer_check(struct balancer *balancer, const char *text, size_t length, const char *name,
		   struct diag *diag, struct balancer_change *ret_change);

/* Changes one backend at run time; when this returns 0, packets go by it.
 * timeout_ms: of a drain, after which the backend is disabled; 0: none.
 */
int balancer_edit(struct balancer *balancer, const struct config_change *change,
		  unsigned timeout_ms, struct diag *diag);

/* Writes what runs to the configuration file (the old one stays beside it as
 * FILE.old), and forgets the edits.
 */
int balancer_save(struct balancer *balancer, struct diag *diag);

/* Tenths of its weight that the backend has now: 10 unless it starts slowly. */
unsigned backend_weight_tenths(const struct backend *backend);

/* Live connections of the backend that are tracked, over all addresses. All are,
 * while it drains and whenever the scheduler tracks each flow; else those of
 * slots in transition.
 */
unsigned backend_live(const struct backend *backend);

/* At run time, until the next reload. -ENODEV, -EBUSY, ...: diag says it. */
int balancer_attach(struct balancer *balancer, const char *interface, enum attach_mode mode,
		    struct diag *diag);
int balancer_detach(struct balancer *balancer, const char *interface, struct diag *diag);

#endif
