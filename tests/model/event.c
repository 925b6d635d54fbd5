// SPDX-License-Identifier: BSD-2-Clause
#include "event.h"

#include "unit/base/random.h"

#define AFFINITY  45
#define UDP_IDLE  28  /* 30 s */
#define ENDED     112 /* 120 s */
#define HANDSHAKE 56  /* 60 s */

const unsigned event_primes[PRIMES] = { 31, 61, 127, 251, 257 };
const unsigned event_weights[WEIGHTS] = { 1, 1, 1, 2, 3, 5, 0 };

static const unsigned tcp_idles[] = { 36, 155, 246 };

static struct event random_event(uint64_t *random, bool tcp)
{
	static const unsigned char odds[] = {
		[EVENT_PACKET] = 100, [EVENT_STATE] = 26, [EVENT_WEIGHT] = 5,
		[EVENT_RESIZE] = 3,   [EVENT_TIME] = 14,  [EVENT_LIVE] = 2,
		[EVENT_LOOK] = 6,     [EVENT_GRACE] = 6,  [EVENT_RESTART] = 1,
	};
	unsigned sum = 0, draw, kind = 0;
	struct event event;

	for (unsigned i = 0; i < sizeof(odds); i++)
		sum += odds[i];
	for (draw = random_below(random, sum); draw >= odds[kind]; kind++)
		draw -= odds[kind];
	event = (struct event){ .kind = kind, .later = random_below(random, 4) == 0 };
	switch (event.kind) {
	case EVENT_PACKET:
		event.who = random_below(random, MODEL_FLOWS);
		draw = random_below(random, 10);
		event.what = !tcp || draw < 5 ? MODEL_DATA : draw < 9 ? MODEL_SYN : MODEL_END;
		break;
	case EVENT_STATE:
		event.who = random_below(random, MODEL_BACKENDS);
		draw = random_below(random, 10);
		event.what = draw < 5 ? STATE_UP : draw - 4;
		break;
	case EVENT_WEIGHT:
		event.who = random_below(random, MODEL_BACKENDS);
		event.what = random_below(random, WEIGHTS);
		break;
	case EVENT_RESIZE:
		event.what = random_below(random, PRIMES);
		break;
	case EVENT_TIME:
		event.what = 1 + random_below(random, random_below(random, 3) ? 3 : 20);
		break;
	case EVENT_LIVE:
	case EVENT_LOOK:
	case EVENT_GRACE:
	case EVENT_RESTART:
		event.what = random_below(random, 1 << 16);
		break;
	}
	return event;
}

static enum sl_scheduler random_scheduler(uint64_t *random)
{
	unsigned draw = random_below(random, 10);

	return draw < 5   ? SL_SCHEDULER_MAGLEV
	       : draw < 7 ? SL_SCHEDULER_SOURCE_HASH
			  : SL_SCHEDULER_ROUND_ROBIN + (draw - 7);
}

static const enum sl_forward forwards[] = { SL_FORWARD_DSR, SL_FORWARD_NAT, SL_FORWARD_IPIP };

void sequence_make(uint64_t seed, unsigned number, struct sequence *ret_sequence)
{
	uint64_t random = seed + ((uint64_t)number << 20);
	enum sl_scheduler scheduler = random_scheduler(&random);
	bool tcp = random_below(&random, 5) < 3, hashed = !sl_scheduler_tracks(scheduler);
	unsigned affinity = random_below(&random, 5) ? 0 : AFFINITY;

	*ret_sequence = (struct sequence){
		.rules = {
			.tcp = tcp,
			.hashed = hashed,
			.tracked = !hashed || affinity,
			.affinity = affinity,
			.times = {
				.idle = tcp ? tcp_idles[random_below(&random, 3)] : UDP_IDLE,
				.older = UDP_IDLE,
				.ended = ENDED,
				.handshake = HANDSHAKE,
			},
		},
		.family = random_below(&random, 2) ? SL_FAMILY_IPV4 : SL_FAMILY_IPV6,
		.scheduler = scheduler,
		.forward = forwards[random_below(&random, 3)],
		.size = random_below(&random, PRIMES),
		.n_backends = 2 + random_below(&random, 5),
		.n_events = 20 + random_below(&random, EVENTS_MAX - 20),
	};
	for (unsigned i = 0; i < ret_sequence->n_events; i++)
		ret_sequence->events[i] = random_event(&random, tcp);
}
