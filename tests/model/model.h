/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A reference model of how a backend is chosen, written from the text of
 * docs/architecture.md, Slots and transition, and not from the program. One
 * service; backends, flows and slots are small numbers. It knows neither maps nor
 * hashes: who uses it says which slot a flow hashes to, and what the table holds.
 */
#ifndef SLUICE_TESTS_MODEL_MODEL_H
#define SLUICE_TESTS_MODEL_MODEL_H

#include <stdbool.h>

#define MODEL_BACKENDS 8
#define MODEL_FLOWS    24
#define MODEL_SLOTS    257
#define MODEL_TABLES   5 /* the one in use, and those that it has replaced */

/* In place of a backend. */
#define MODEL_NOBODY  (-1)
#define MODEL_ANYBODY (-2) /* any backend that takes new connections */

/* Durations, in the units of time of the model's user. */
struct model_times {
	unsigned idle;      /* after this a connection counts as ended */
	unsigned tracked;   /* the same where every flow is known */
	unsigned older;     /* UDP: so long a flow that is not known is an older one */
	unsigned over;      /* a flow stays known whose server has said RST */
	unsigned handshake; /* a flow stays known of which only a SYN was seen */
	unsigned last_ack;  /* behind a FIN, an acknowledgement may be the last one */
	unsigned follow_up; /* behind a SYN, the client may still answer the server's */
};

struct model_rules {
	bool tcp;
	bool hashed;       /* maglev, source-hash: a flow's slot says its backend */
	bool tracked;      /* every flow is known, not those of slots in transition alone */
	unsigned affinity; /* so long a client comes back to its backend; 0: not */
	struct model_times times;
};

struct model_slot {
	bool tracking;
	int current, previous;
	unsigned changed; /* the last change of `current` */
	bool fresh;       /* no round of the walk has ended since that was too long ago */
	bool recent;      /* it changed too lately for the round of the walk to settle it */
	bool held;        /* in this round: a live flow is elsewhere */
};

struct model_table {
	unsigned size;
	struct model_slot slots[MODEL_SLOTS];
	unsigned slot_of[MODEL_FLOWS];
};

enum model_end { MODEL_LIVE, MODEL_FINISHED, MODEL_RESET, MODEL_DOUBTED, MODEL_OVER };

/* What is known of a connection. */
struct model_entry {
	bool known;
	int backend;
	unsigned seen;
	enum model_end end;
	unsigned number; /* of the SYN, then of the FIN */
};

/* Of the connections on one port of a client: `begun` is one of which only SYNs were seen, `flow`
 * the one of which more was, and which may be the one before.
 */
struct model_flow {
	struct model_entry flow, begun;
};

struct model_affinity {
	int backend;
	unsigned expires;
};

enum model_kind {
	MODEL_SYN,
	MODEL_DATA,
	MODEL_AGAIN, /* data that was sent before */
	MODEL_ACK,   /* no data */
	MODEL_FIN,
	MODEL_RST,
};

/* number: says which of the connections on the port a packet belongs to: the client's SYN and all
 * that follow it have the same one, a forged packet another.
 */
struct model_packet {
	enum model_kind kind;
	unsigned number;
};

struct model {
	struct model_rules rules;
	unsigned now;
	unsigned
		fresh_until; /* the last change of any slot is older than this allows: none is fresh */
	bool serves[MODEL_BACKENDS]; /* established connections go on */
	bool takes_new[MODEL_BACKENDS];
	struct model_table tables[MODEL_TABLES]; /* [0] is in use, [1] what it replaced... */
	unsigned n_tables;
	struct model_flow flows[MODEL_FLOWS];
	struct model_affinity affinities[MODEL_FLOWS]; /* by client */
	unsigned client_of[MODEL_FLOWS];
};

/* What a change leads to: the rules, who serves, who takes new connections, and what the
 * table holds. gone: backends that are no longer the service's.
 */
struct model_change {
	struct model_rules rules;
	bool other_scheduler; /* than before */
	bool serves[MODEL_BACKENDS], takes_new[MODEL_BACKENDS], gone[MODEL_BACKENDS];
	unsigned size;
	int table[MODEL_SLOTS];
	unsigned slot_of[MODEL_FLOWS];
};

void model_begin(struct model *model, const struct model_rules *rules);
void model_change(struct model *model, const struct model_change *change);

/* The backend that a packet must go to; MODEL_ANYBODY where the scheduler is
 * free. *ret_or is another one that is as right (or the same).
 */
int model_packet(const struct model *model, unsigned flow, const struct model_packet *packet,
		 int *ret_or);

/* The packet went there. */
void model_went(struct model *model, unsigned flow, const struct model_packet *packet, int backend);

/* A server has sent a RST to the flow's client, and the program has seen it. */
void model_server_reset(struct model *model, unsigned flow, int backend);

/* The live connections of a backend. */
unsigned model_live(const struct model *model, int backend);

/* A round of the walk: its look at the connections that have begun, then at the others, and its
 * end.
 */
void model_walk_begin(struct model *model);
void model_walk_look(struct model *model);
void model_walk_end(struct model *model);

/* The daemon has started anew: how long transitions have gone on is forgotten, and so is
 * what leads to dead backends.
 */
void model_restart(struct model *model);

unsigned model_tracking(const struct model *model);

#endif
