/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration as values: every default filled in, every rule checked.
 * Made whole from text or not at all; immutable afterwards. Defaults and ranges stand
 * in the rows of the keys (parse.c, read_*.c).
 */
#ifndef SLUICE_LIB_CONFIG_CONFIG_H
#define SLUICE_LIB_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/cleanup.h"
#include "lib/base/prefix.h"
#include "lib/base/units.h"
#include "lib/config/check_type.h"

struct diag;

#define CONFIG_NAME_MAX           63 /* of a service or backend: [A-Za-z0-9][A-Za-z0-9._-]* */
#define CONFIG_WEIGHT_MAX         65535
#define CONFIG_SERVICES_MAX       16384
#define CONFIG_BACKENDS_MAX       65536 /* in total */
#define CONFIG_STATUS_RANGES      8
#define CONFIG_ADDRESSES_MAX      16 /* of one service */
#define CONFIG_INTERFACES_MAX     64
#define CONFIG_TABLE_SIZE_MAX     16777213 /* the largest prime below 2^24 */
#define CONFIG_TABLE_SIZE_DEFAULT 65537
#define CONFIG_TURNS_MAX          65536   /* of a round of round-robin */
#define CONFIG_PREFIXES_MAX       1000000 /* of all lists together */
#define CONFIG_BODY_MAX           4096    /* bytes of respond.body */

enum attach_mode { ATTACH_AUTO, ATTACH_NATIVE, ATTACH_GENERIC };

/* What happens to new connections when no backend of a service can serve. */
enum on_all_down {
	ON_ALL_DOWN_DROP,
	ON_ALL_DOWN_REJECT,     /* TCP: a reset; else ICMP administratively prohibited */
	ON_ALL_DOWN_LAST_KNOWN, /* to the backends that could last */
	ON_ALL_DOWN_RESPOND,    /* to the responder, which answers 503 */
};

/* What the operator wants of a backend. */
enum admin_state {
	ADMIN_UP,       /* to serve while it is healthy */
	ADMIN_DRAIN,    /* no new connections, the established ones go on */
	ADMIN_DISABLED, /* no traffic at all */
};

struct status_range {
	unsigned short first, last; /* HTTP status, 100 to 599, inclusive */
};

struct check_config {
	enum check_type type; /* default: tcp for tcp services, none for udp ones */
	unsigned interval_ms;
	unsigned timeout_ms;
	unsigned rise;           /* consecutive successes that make a backend up */
	unsigned fall;           /* consecutive failures that make it down */
	unsigned jitter_percent; /* each interval is varied by up to so much */
	__be16 port;             /* 0: the backend's own */
	char *path;              /* of a type that speaks HTTP, as host and status */
	char *host;              /* the Host header; NULL: the backend's address and port */
	struct status_range status[CONFIG_STATUS_RANGES]; /* those that are a success */
	size_t n_status;
};

/* Sorted by prefix_compare(), each once: what the file lists, and what the files
 * hold that it names.
 */
struct prefix_list {
	struct prefix *prefixes;
	size_t n;
	struct prefix *written; /* those of the configuration itself, in its order */
	size_t n_written;
	char **files; /* as written, in its order; relative to the configuration's directory */
	size_t n_files;
};

/* Of two lists that both have a source, the longer prefix decides. With any `allow`,
 * what is in no list is denied.
 */
struct access_config {
	struct prefix_list allow, deny;
};

struct limit_config {
	enum sl_limit_count count;
	enum sl_limit_algorithm algorithm;
	enum sl_limit_action action;
	bool per_service; /* `per:` source or service */
	bool dry_run;
	bool pressure_refuses; /* `under_pressure:` admit or refuse */
	unsigned prefix_v4;    /* bits of a source's address that share a bucket */
	unsigned prefix_v6;
	struct rate rate; /* in packets, bytes or connections */
	char *text;       /* the rate as written, for status: "1000/s" */
	/* Units, 1 or more; default: what the rate gives in a second, at least 1, of bytes
	 * at least 64k. token-bucket alone; the windows have 0.
	 */
	unsigned long long burst;
	struct prefix_list exempt;
};

/* What the responder says, to those over a limit (429) and where nobody serves (503). */
struct respond_config {
	char *body;              /* NULL: a line of its own */
	char *content_type;      /* NULL: text/plain; charset=utf-8 */
	bool x_headers;          /* RateLimit-Limit and so on, and X-RateLimit-* */
	unsigned retry_after_ms; /* the Retry-After of a 503 */
};

/* Of all limits; the sizes are fixed while the program is loaded. */
struct limiter_config {
	unsigned buckets;             /* sources that have one */
	unsigned gate;                /* words of 8 bytes, six of eight are cells; a power of two */
	unsigned inserts_per_second;  /* new buckets, on each CPU */
	unsigned refusals_per_second; /* refusals sent, on each CPU */
	unsigned events_per_second;   /* of those that the log hears, on each CPU */
};

/* Where the outer packets of ipip come from; the bits behind the prefixes vary by flow. */
struct ipip_config {
	struct prefix source_v4;
	struct prefix source_v6; /* the last 32 bits vary at most */
};

struct affinity_config {
	unsigned timeout_ms; /* 0: no affinity. Each new connection starts it anew */
	unsigned prefix_v4;  /* bits of a client's address that are pinned as one */
	unsigned prefix_v6;
	char *group; /* services that share their pins; NULL: the service is alone */
};

/* Of the flow table; for all services. */
struct flows_config {
	unsigned size;        /* tracked flows */
	unsigned tcp_idle_ms; /* after so long a connection counts as ended */
	unsigned
		tracked_idle_ms; /* the same for services that track every flow; at least tcp_idle */
	unsigned udp_idle_ms;
};

struct backend_config {
	char *name; /* unique in its service; default: address:port as text */
	struct ip ip;
	__be16 port;                  /* default: the service's */
	unsigned weight;              /* at most CONFIG_WEIGHT_MAX; 0: no new connections */
	bool backup;                  /* serves only while none of the others can */
	enum admin_state admin_state; /* `state:` */
	unsigned line;                /* in the file */
};

struct service_config {
	char *name; /* unique */
	struct ip addresses[CONFIG_ADDRESSES_MAX];
	size_t n_addresses; /* 1 or more */
	__be16 port;
	__u8 proto; /* IPPROTO_TCP or IPPROTO_UDP */
	enum sl_forward forward;
	enum sl_scheduler scheduler;
	struct affinity_config affinity;
	enum on_all_down on_all_down;
	unsigned min_healthy;     /* with fewer healthy backends than this, health is ignored */
	bool min_healthy_percent; /* min_healthy is in percent of those that are not backups */
	unsigned slow_start_ms;   /* 0: none; so long a returning backend's weight climbs */
	struct check_config check;
	struct limit_config limits[SL_LIMITS_MAX]; /* in the order of the file */
	size_t n_limits;
	struct access_config access;
	struct respond_config respond;
	/* Slots. Hashed schedulers: a prime, chosen when the file says none. round-robin: the
	 * longest round of an address (config_turns()), least-connections: the backends of its
	 * larger family; 1 or more.
	 */
	unsigned table_size;
	struct backend_config *backends;
	size_t n_backends; /* 1 or more */
	const struct backend_config *
		*by_name; /* sorted, for config_find_backend(); a part of config.backends_by_name */
	unsigned line;
	bool faulty; /* while it is read: it has errors already, and no rule looks at it */
};

struct interface_config {
	char *name;
	enum attach_mode mode; /* auto: native, an error where the driver has none */
};

struct config {
	__u64 hash_seed;      /* machines that share traffic must share it */
	char *hash_seed_file; /* that holds it; NULL: it stands in the configuration */
	struct flows_config flows;
	struct limiter_config limiter;
	struct ipip_config ipip;
	enum sl_unserved unserved;   /* what is for a service's address and for no service */
	struct access_config access; /* of all services, before their own */
	struct interface_config *interfaces;
	size_t n_interfaces; /* may be 0: attached by hand, or with `sluicectl attach` */
	struct service_config *services;
	size_t n_services;                     /* may be 0 */
	const struct service_config **by_name; /* the services sorted, for config_find_service() */
	const struct backend_config **backends_by_name; /* of all services, one behind the other */
};

/* Parses and checks text (need not be NUL-terminated; any bytes). On success
 * *ret_config is the caller's to free. On failure: -EINVAL (or -ENOMEM), diag
 * tells the place and what would be right, and *ret_config is left alone. A list of
 * diag's gets all errors, and warnings on success, too, in the order of the file. name
 * is the file's name for diag, and the files of prefixes that it names are relative
 * to its directory; without a slash, to the process's own. Their faults are told
 * with their names.
 */
int config_parse(const char *text, size_t length, const char *name, struct diag *diag,
		 struct config **ret_config);

/* Reads the file, at most 64 MiB, then config_parse(). Also -errno of reading. */
int config_load(const char *path, struct diag *diag, struct config **ret_config);

/* Accepts NULL. */
void config_free(struct config *config);
DEFINE_CLEANUP(config_free, struct config *);

/* NULL where there is none. */
const struct service_config *config_find_service(const struct config *config, const char *name);
const struct backend_config *config_find_backend(const struct service_config *service,
						 const char *name);

/* round-robin: the turns of one round over a service's backends of a family,
 * either its backups or the others: the sum of their weights by its greatest
 * common divisor. Some of them alone take no more. At most CONFIG_TURNS_MAX
 * where the scheduler is round-robin; 0: no weight above 0.
 */
unsigned config_turns(const struct service_config *service, __u8 family, bool backup);

/* The words of the file for its enums: "tcp", "nat", "http", "native"... */
const char *config_proto_name(__u8 proto);
const char *config_forward_name(enum sl_forward forward);
const char *config_check_name(enum check_type type);
const char *config_mode_name(enum attach_mode mode);
const char *config_scheduler_name(enum sl_scheduler scheduler);
const char *config_on_all_down_name(enum on_all_down answer);
const char *config_admin_state_name(enum admin_state admin_state);
const char *config_count_name(enum sl_limit_count count);
const char *config_algorithm_name(enum sl_limit_algorithm algorithm);
const char *config_action_name(enum sl_limit_action action);

/* The mode of this word. 0, or -EINVAL: there is none. */
int config_mode_parse(const char *text, enum attach_mode *ret_mode);

/* Whether the service has connections answered by the responder. */
bool config_responds(const struct service_config *service);

/* Whether every flow of the service has an entry in the flow table. */
bool config_tracks(const struct service_config *service);

#endif
