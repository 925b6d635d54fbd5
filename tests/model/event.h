/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A random sequence as a whole, made from its number before it is run: so it can be
 * run again, and with some of its events left out.
 */
#ifndef SLUICE_TESTS_MODEL_EVENT_H
#define SLUICE_TESTS_MODEL_EVENT_H

#include <stdint.h>

#include "model.h"
#include "sluice/abi.h"

#define EVENTS_MAX 120

#define PRIMES     5
#define WEIGHTS    7
extern const unsigned event_primes[PRIMES], event_weights[WEIGHTS];

enum event_kind {
	EVENT_PACKET,    /* of flow `who`; what: enum sent */
	EVENT_STATE,     /* backend `who` becomes what: enum state */
	EVENT_WEIGHT,    /* backend `who`: event_weights[what] */
	EVENT_RESIZE,    /* what: into event_primes */
	EVENT_SCHEDULER, /* what: enum sl_scheduler */
	EVENT_AFFINITY,  /* is switched on or off */
	EVENT_TIME,      /* what: SL_SECONDs pass, and a round of the walk follows */
	EVENT_PASS,      /* what: SL_SECONDs pass, perhaps while a round of the walk is under way */
	EVENT_LIVE, /* more time than a connection may idle passes; meanwhile flows keep alive */
	EVENT_LOOK, /* the walk looks at the handshakes, and (what) the flows; the rest comes later */
	EVENT_GRACE,
	EVENT_RESTART,
};

/* What a flow's client sends, or what is sent in its name. */
enum sent {
	SENT_SYN,
	SENT_DATA,
	SENT_AGAIN,
	SENT_ACK,
	SENT_FIN,
	SENT_RST,
	SENT_FORGED_SYN,
	SENT_FORGED_ACK,
	SENT_FORGED_FIN,
	SENT_FORGED_RST,
	SENT_SERVER_RST, /* by the backend that the flow is with */
};

enum state { STATE_UP, STATE_DRAIN, STATE_NOT_READY, STATE_DEAD, STATE_DISABLED, STATE_REMOVED };

struct event {
	enum event_kind kind;
	unsigned who, what;
	bool later; /* a change that is applied together with the next one */
};

struct sequence {
	struct model_rules rules; /* but for what the scheduler and affinity make of them */
	__u8 family;
	enum sl_scheduler scheduler; /* at the beginning */
	bool affinity;               /* the same */
	enum sl_forward forward;
	unsigned size;       /* into event_primes */
	unsigned n_backends; /* at the beginning */
	struct event events[EVENTS_MAX];
	unsigned n_events;
};

extern const char *const sequence_schedulers[];

void sequence_make(uint64_t seed, unsigned number, struct sequence *ret_sequence);

#endif
