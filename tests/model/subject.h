/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The real thing under test: the loaded program with its maps, one service in
 * it, written by plan_build() and datapath_apply(), and packets through
 * BPF_PROG_TEST_RUN. Backends are known by the MAC address that a frame leaves
 * for. Time is the machine's; it passes at will by making everything that the maps and
 * the daemon remember so much older. Whatever must not fail ends the process.
 */
#ifndef SLUICE_TESTS_MODEL_SUBJECT_H
#define SLUICE_TESTS_MODEL_SUBJECT_H

#include <limits.h>
#include <stdbool.h>

#include "daemon/datapath/datapath.h"
#include "daemon/datapath/internal.h"
#include "lib/balance/plan.h"
#include "lib/config/config.h"

#define SUBJECT_BACKENDS 64
#define SUBJECT_NOBODY   (-1)

#define check(condition)                                                   \
	do {                                                               \
		if (!(condition))                                          \
			fail("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

struct subject {
	struct datapath *datapath;
	struct datapath_timeouts timeouts;
	/* What the next subject_apply() makes of the service. */
	struct service_config service;
	struct backend_config backends[SUBJECT_BACKENDS]; /* by number; 0.. */
	struct plan_input inputs[SUBJECT_BACKENDS];
	bool present[SUBJECT_BACKENDS];
	/* What the last one did. */
	unsigned table_size;
	int *table; /* by slot: a backend's number, or SUBJECT_NOBODY */
};

/* Which packet; the port in host order. */
struct client {
	unsigned address; /* the low bits; the others are those of a network for tests */
	unsigned short port;
};

enum tcp_flags { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

#define SEGMENT_PAYLOAD 8 /* bytes at most */

/* Loads the program, pinned in a directory of this process's own. */
void subject_open(struct subject *subject, unsigned flows);
void subject_close(struct subject *subject);

/* A new service of this kind, without backends: set its other fields, then give it
 * some, then apply. The one before is removed.
 */
void subject_service(struct subject *subject, __u8 proto, __u8 family, enum sl_scheduler scheduler);
void subject_backend(struct subject *subject, unsigned backend, unsigned weight);
void subject_remove(struct subject *subject);

void subject_set_timeouts(struct subject *subject, const struct datapath_timeouts *timeouts);
void subject_apply(struct subject *subject);

struct segment {
	enum tcp_flags flags; /* of a TCP segment; UDP has none */
	unsigned number;      /* its sequence number */
	unsigned payload;     /* bytes, few */
};

/* Where the program sends a packet of this client. Safe on several threads. */
int subject_segment(const struct subject *subject, const struct client *client,
		    const struct segment *segment);

/* The same for a segment without payload, of a connection whose SYNs bear one number and whose
 * other segments bear the number behind it.
 */
int subject_packet(const struct subject *subject, const struct client *client,
		   enum tcp_flags flags);

/* nat: the backend sends the client a segment. */
void subject_reply(const struct subject *subject, unsigned backend, const struct client *client,
		   enum tcp_flags flags);

/* The slot of the applied table that the client hashes to. */
unsigned subject_slot(const struct subject *subject, const struct client *client);

/* A step, or the rest of a round, of the walk. */
bool subject_walk_step(struct subject *subject);
void subject_walk(struct subject *subject);

/* Lets the given number of SL_SECONDs pass. */
void subject_pass_time(struct subject *subject, unsigned seconds);

/* A grace period: nobody reads what was retired. */
void subject_grace(struct subject *subject);

/* Another daemon takes over what this one leaves. */
void subject_restart(struct subject *subject);

/* Entries of a map of flows, counted one by one. */
unsigned subject_count(const struct subject *subject, enum map_name map);

/* The program's and the walk's count of a backend's live connections. */
unsigned subject_live(const struct subject *subject, unsigned backend);
void subject_set_live(struct subject *subject, unsigned backend, unsigned live);

#endif
