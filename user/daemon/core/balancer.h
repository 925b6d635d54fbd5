/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's state: the configuration that runs, its services and their backends.
 * Other rooms read it. They change it by the functions of core/ alone, whose headers
 * are named after their subject (reload.h, interfaces.h, denied.h, ...). Each change
 * marks services dirty, and reconcile.c then plans and applies them, on a fiber of its own.
 *
 * What takes long runs on fibers, beside the loop's callbacks and each other. `changing` is
 * held by who makes a change that was asked for, from its begin to its end: they are made one
 * after the other. `reading` is shared by who uses services, backends or their configuration
 * across a yield_point(), and held for a moment by who replaces them.
 */
#ifndef SLUICE_DAEMON_CORE_BALANCER_H
#define SLUICE_DAEMON_CORE_BALANCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/author.h"
#include "daemon/datapath/attachment.h"
#include "daemon/fiber.h"
#include "lib/base/prefix.h"
#include "lib/config/config.h"
#include "lib/config/edit.h"

struct balancer;
struct check;
struct checks;
struct datapath;
struct nexthop_watch;
struct nexthops;
struct ours;
struct responder;
struct statefile;
struct unsent;
struct uv_loop_s;
struct upkeep;

struct balancer_options {
	const char *config_path;
	const char *socket_path;
	const char *pin_dir;
	const char *state_path; /* of the state file; NULL: the default of the socket */
	bool keep;              /* on stop, leave program and pins where they are */
	bool force; /* start also with a configuration that removes every service that runs */
	int packet_socket; /* of balancer_open_socket() */
};

/* A backend of a running service; config points into balancer->config. */
struct backend {
	struct service *service;
	const struct backend_config *config;
	/* Until its service runs: the backend of this name that runs instead. */
	const struct backend *former;
	struct check *check;
	struct nexthop_watch *hop;
	bool member;      /* takes new connections, at one address of the service at least */
	bool served_last; /* was a member when the service last had one */
	bool inherited;   /* its connections went on when the daemon took over */
	bool check_told, hop_told; /* something changed there before its service ran */
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
	bool runs;  /* it is one of balancer->services: what it is told of counts */
	bool dirty; /* in the maps it is not as it should be; if it runs, it is in a list of these: */
	bool claimed; /* in balancer->claimed, else in balancer->touched */
	TAILQ_ENTRY(service) dirty_link;
	char error[768]; /* why it is not as it should be, and tried again; empty: it is */
};

TAILQ_HEAD(dirty_services, service);

/* A change that the operator has made at run time. It stays when the file is read again,
 * until it is saved to the file or taken back.
 */
struct balancer_edit {
	struct config_change change;
	unsigned long long deadline_ms; /* uv_now() at which a drain ends in disabled; 0: never */
	unsigned long long ends_ms;     /* the same, by the wall clock */
	unsigned long long made_ms;     /* by the wall clock */
	struct author author;
	bool unfit; /* could not be made again when the file was last read */
};

/* A prefix that the operator denies at run time. The maps have it, too. */
struct denial {
	struct prefix prefix;
	unsigned long long ends_ms; /* by the wall clock; 0: never */
	unsigned long long made_ms;
	struct author author;
};

struct balancer {
	struct uv_loop_s *loop;
	struct balancer_options options;
	struct config *config; /* the one that runs: the file's, with the edits made */
	/* The file's alone, as of when it was last read or saved; `config` itself while
	 * there are no edits.
	 */
	struct config *file;
	struct balancer_edit *edits; /* in the order in which they were made */
	size_t n_edits;
	struct denial *denials; /* sorted by prefix_compare() */
	size_t n_denials;
	struct statefile *statefile; /* keeps edits and denials: kept.h */
	char state_error[768];       /* why the state file does not have them all; "": it has */
	char denials_error[768];     /* why the maps do not have all denials; "": they have */
	struct datapath *datapath;
	struct nexthops *nexthops;
	struct checks *checks;
	struct service **services; /* config->n_services, in its order */
	/* Dirty by a change that was asked for, and waits for them; and by themselves. They come in
	 * turn, so that neither waits for all of the other.
	 */
	struct dirty_services claimed, touched;
	bool claimed_next;
	size_t retried; /* counts on: the service that is next to be tried again, modulo n */
	struct attachment *attachments; /* the interfaces that are wanted, missing ones too */
	struct ours *ours; /* this machine's own addresses, and those of the services */
	size_t n_attachments;
	struct fiber_lock changing, reading;
	struct fiber *reconciler;    /* NULL while services are reconciled without the loop */
	struct fiber *purger;        /* waits until the maps hold balancer->services alone */
	bool purging;                /* the maps may hold services that are not there any more */
	bool retrying;               /* services that wait for room are to be tried again */
	bool applying;               /* the maps of a service are being written */
	struct upkeep *upkeep;       /* work that is due by the clock */
	struct responder *responder; /* NULL while no service asks for it */
	struct unsent *unsent;       /* packets that the program cannot send by itself */
	bool running;                /* the start has succeeded */
	bool took_over;              /* program and maps were there before us */
	bool stopping;
	char refused[1280]; /* why the last reload by signal was refused; empty: was not */
	unsigned long long started_ms;  /* wall clock, Unix time */
	uint64_t started_ns;            /* clock_monotonic_ns() */
	unsigned long long reloaded_ms; /* wall clock of the last successful (re)load */
};

/* The service is not in the maps as it should be: it is planned and applied soon. */
void balancer_touch(struct service *service);

/* The reconciler looks for work: what the members above say has changed. */
void balancer_wake(struct balancer *balancer);

/* The service that runs by this name, or NULL. */
struct service *balancer_service(const struct balancer *balancer, const char *name);

/* The interface of this name that the program is to be attached to, or NULL. */
struct attachment *balancer_attachment(const struct balancer *balancer, const char *name);

#endif
