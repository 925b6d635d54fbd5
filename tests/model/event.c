// SPDX-License-Identifier: BSD-2-Clause
#include "event.h"

#include "lib/base/array.h"

#include "unit/base/random.h"

#define UDP_IDLE  28  /* 30 s */
#define OVER      112 /* 120 s */
#define HANDSHAKE 56  /* 60 s */
#define LAST_ACK  2
#define FOLLOW_UP 3

const unsigned event_primes[PRIMES] = { 31, 61, 127, 251, 257 };
const unsigned event_weights[WEIGHTS] = { 1, 1, 1, 2, 3, 5, 0 };

const char *const sequence_schedulers[] = { "maglev", "source-hash", "round-robin",
					    "least-connections", "random" };

static const unsigned tcp_idles[] = { 36, 155, 246 };

/* Draws a number below n; each has its odds. */
static unsigned random_among(uint64_t *random, const unsigned char odds[], unsigned n)
{
	unsigned sum = 0, draw, number = 0;

	for (unsigned i = 0; i < n; i++)
		sum += odds[i];
	for (draw = random_below(random, sum); draw >= odds[number]; number++)
		draw -= odds[number];
	return number;
}

/* Most packets are the client's, and most of them its data. */
static enum sent random_sent(uint64_t *random, bool tcp)
{
	static const unsigned char odds[] = {
		[SENT_SYN] = 30,       [SENT_DATA] = 40,      [SENT_AGAIN] = 2,
		[SENT_ACK] = 10,       [SENT_FIN] = 6,        [SENT_RST] = 4,
		[SENT_FORGED_SYN] = 6, [SENT_FORGED_ACK] = 2, [SENT_FORGED_FIN] = 2,
		[SENT_FORGED_RST] = 3, [SENT_SERVER_RST] = 3,
	};

	return tcp ? random_among(random, odds, ARRAY_SIZE(odds)) : SENT_DATA;
}

static enum sl_scheduler random_scheduler(uint64_t *random)
{
	unsigned draw = random_below(random, 10);

	return draw < 5   ? SL_SCHEDULER_MAGLEV
	       : draw < 7 ? SL_SCHEDULER_SOURCE_HASH
			  : SL_SCHEDULER_ROUND_ROBIN + (draw - 7);
}

/* Ages around the timeouts, and short ones. */
static unsigned random_time(uint64_t *random)
{
	unsigned draw = random_below(random, 6);

	return draw < 2   ? 1 + random_below(random, 4)
	       : draw < 5 ? 1 + random_below(random, 40)
			  : 1 + random_below(random, 200);
}

static struct event random_event(uint64_t *random, bool tcp)
{
	static const unsigned char odds[] = {
		[EVENT_PACKET] = 120, [EVENT_STATE] = 26,    [EVENT_WEIGHT] = 5,
		[EVENT_RESIZE] = 3,   [EVENT_SCHEDULER] = 2, [EVENT_AFFINITY] = 2,
		[EVENT_TIME] = 14,    [EVENT_PASS] = 5,      [EVENT_LIVE] = 2,
		[EVENT_LOOK] = 6,     [EVENT_GRACE] = 6,     [EVENT_RESTART] = 1,
	};
	struct event event = { .kind = random_among(random, odds, ARRAY_SIZE(odds)) };
	unsigned draw;

	event.later = random_below(random, 4) == 0;
	switch (event.kind) {
	case EVENT_PACKET:
		event.who = random_below(random, MODEL_FLOWS);
		event.what = random_sent(random, tcp);
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
	case EVENT_PASS:
		event.what = random_time(random);
		break;
	case EVENT_SCHEDULER:
		event.what = random_scheduler(random);
		break;
	case EVENT_AFFINITY:
	case EVENT_LIVE:
	case EVENT_LOOK:
	case EVENT_GRACE:
	case EVENT_RESTART:
		event.what = random_below(random, 1 << 16);
		break;
	}
	return event;
}

static const enum sl_forward forwards[] = { SL_FORWARD_DSR, SL_FORWARD_NAT, SL_FORWARD_IPIP };

void sequence_make(uint64_t seed, unsigned number, struct sequence *ret_sequence)
{
	uint64_t random = seed + ((uint64_t)number << 20);
	enum sl_scheduler scheduler = random_scheduler(&random);
	bool tcp = random_below(&random, 5) < 3;
	bool affinity = !random_below(&random, 5);
	unsigned idle = tcp_idles[random_below(&random, 3)];

	*ret_sequence = (struct sequence){
		.rules = {
			.tcp = tcp,
			.times = {
				.idle = tcp ? idle : UDP_IDLE,
				.tracked = tcp ? 2 * idle : UDP_IDLE,
				.older = UDP_IDLE,
				.over = OVER,
				.handshake = HANDSHAKE,
				.last_ack = LAST_ACK,
				.follow_up = FOLLOW_UP,
			},
		},
		.family = random_below(&random, 2) ? SL_FAMILY_IPV4 : SL_FAMILY_IPV6,
		.scheduler = scheduler,
		.affinity = affinity,
		.forward = forwards[random_below(&random, 3)],
		.size = random_below(&random, PRIMES),
		.n_backends = 2 + random_below(&random, 5),
		.n_events = 20 + random_below(&random, EVENTS_MAX - 20),
	};
	for (unsigned i = 0; i < ret_sequence->n_events; i++)
		ret_sequence->events[i] = random_event(&random, tcp);
}
