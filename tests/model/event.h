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

/* Ages are multiples of a TICK of 10 SL_SECONDs, and one more where the clock moves on
 * meanwhile: no timeout is near one.
 */
#define TICK    10

#define PRIMES  5
#define WEIGHTS 7
extern const unsigned event_primes[PRIMES], event_weights[WEIGHTS];

enum event_kind {
	EVENT_PACKET, /* of flow `who`; what: enum model_packet */
	EVENT_STATE,  /* backend `who` becomes what: enum state */
	EVENT_WEIGHT, /* backend `who`: event_weights[what] */
	EVENT_RESIZE, /* what: into event_primes */
	EVENT_TIME,   /* what: TICKs pass, and a round of the walk follows */
	EVENT_LIVE,   /* more time than a connection may idle passes; meanwhile flows keep alive */
	EVENT_LOOK,   /* the walk looks at the flows; the round goes on later */
	EVENT_GRACE,
	EVENT_RESTART,
};

enum state { STATE_UP, STATE_DRAIN, STATE_NOT_READY, STATE_DEAD, STATE_DISABLED, STATE_REMOVED };

struct event {
	enum event_kind kind;
	unsigned who, what;
	bool later; /* a change that is applied together with the next one */
};

struct sequence {
	struct model_rules rules;
	__u8 family;
	enum sl_scheduler scheduler;
	enum sl_forward forward;
	unsigned size;       /* into event_primes */
	unsigned n_backends; /* at the beginning */
	struct event events[EVENTS_MAX];
	unsigned n_events;
};

void sequence_make(uint64_t seed, unsigned number, struct sequence *ret_sequence);

#endif
