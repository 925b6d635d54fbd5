// SPDX-License-Identifier: BSD-2-Clause
/* A sequence is made whole from its number before it is run: so it can be run
 * again, and with some of its events left out. Beside the model's word for each
 * packet, what section 4 promises is watched by itself: an established
 * connection stays where it is while its backend may serve it, and no new one
 * goes to a backend that takes none.
 */
#include "sequence.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

#include "lib/cleanup.h"
#include "model.h"
#include "sluice/slot.h"
#include "unit/random.h"

#define EVENTS_MAX 120
#define CLIENTS    8 /* addresses; the flows are shared out among them */

/* Ages are multiples of 10 SL_SECONDs, and one more where the clock moves on meanwhile:
 * no timeout is near one.
 */
#define TICK      10
#define AFFINITY  45
#define UDP_IDLE  28  /* 30 s */
#define ENDED     112 /* 120 s */
#define HANDSHAKE 56  /* 60 s */
#define SECOND_MS ((double)(1ULL << SL_SECOND_SHIFT) / 1e6)

static const unsigned tcp_idles[] = { 36, 155, 246 };
static const unsigned primes[] = { 31, 61, 127, 251, 257 };
static const unsigned weights[] = { 1, 1, 1, 2, 3, 5, 0 };

enum event_kind {
	EVENT_PACKET, /* of flow `who`; what: enum model_packet */
	EVENT_STATE,  /* backend `who` becomes what: enum state */
	EVENT_WEIGHT, /* backend `who`: weights[what] */
	EVENT_RESIZE, /* what: into primes */
	EVENT_TIME,   /* what: TICKs pass, and a round of the walk follows */
	EVENT_LIVE,   /* more time than a connection may idle passes; meanwhile flows keep alive */
	EVENT_LOOK,   /* the walk looks at the flows; the round goes on later */
	EVENT_GRACE,
	EVENT_RESTART,
};

enum state { STATE_UP, STATE_DRAIN, STATE_NOT_READY, STATE_DEAD, STATE_DISABLED, STATE_REMOVED };

static const char *const state_names[] = { "up",   "draining", "not ready",
					   "dead", "disabled", "removed" };

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
	unsigned size;       /* into primes */
	unsigned n_backends; /* at the beginning */
	struct event events[EVENTS_MAX];
	unsigned n_events;
};

/* What is known of a connection without the model. */
struct watched {
	int home; /* where its packets went */
	bool established;
	bool ended; /* FIN or RST was said, and no SYN since */
	unsigned seen;
};

struct run {
	struct subject *subject;
	const struct sequence *sequence;
	bool tell; /* print each event */
	struct model model;
	enum state states[MODEL_BACKENDS];
	bool gone[MODEL_BACKENDS]; /* since the last change */
	bool looked, dirty;
	struct watched watched[MODEL_FLOWS];
	struct client clients[MODEL_FLOWS];
	const char *wrong; /* NULL: nothing yet */
};

/* ---- making one ------------------------------------------------------------ */

static struct event random_event(uint64_t *random, bool tcp)
{
	static const unsigned char odds[] = {
		[EVENT_PACKET] = 100, [EVENT_STATE] = 26, [EVENT_WEIGHT] = 5,
		[EVENT_RESIZE] = 2,   [EVENT_TIME] = 14,  [EVENT_LIVE] = 2,
		[EVENT_LOOK] = 4,     [EVENT_GRACE] = 4,  [EVENT_RESTART] = 1,
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
		event.what = random_below(random, sizeof(weights) / sizeof(weights[0]));
		break;
	case EVENT_RESIZE:
		event.what = random_below(random, sizeof(primes) / sizeof(primes[0]));
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

static void random_sequence(uint64_t seed, unsigned number, struct sequence *ret_sequence)
{
	uint64_t random = seed + ((uint64_t)number << 20);
	enum sl_scheduler scheduler = random_scheduler(&random);
	bool tcp = random_below(&random, 5) < 3, hashed = scheduler <= SL_SCHEDULER_SOURCE_HASH;
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
		.forward = random_below(&random, 2) ? SL_FORWARD_DSR : SL_FORWARD_NAT,
		.size = random_below(&random, sizeof(primes) / sizeof(primes[0])),
		.n_backends = 2 + random_below(&random, 5),
		.n_events = 20 + random_below(&random, EVENTS_MAX - 20),
	};
	for (unsigned i = 0; i < ret_sequence->n_events; i++)
		ret_sequence->events[i] = random_event(&random, tcp);
}

/* ---- running one ----------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
tell(const struct run *run, const char *format, ...)
{
	va_list args;

	if (!run->tell)
		return;
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
}

static bool state_serves(enum state state)
{
	return state <= STATE_NOT_READY;
}

/* The states of the design, as the program's inputs say them. */
static void set_backend(struct run *run, unsigned backend, enum state state)
{
	struct plan_input *input = &run->subject->inputs[backend];

	if (state == STATE_REMOVED) {
		run->subject->present[backend] = false;
		return;
	}
	if (!run->subject->present[backend])
		subject_backend(run->subject, backend, 1);
	input->wish = state == STATE_DRAIN      ? WISH_DRAIN
		      : state == STATE_DISABLED ? WISH_DISABLED
						: WISH_UP;
	input->health = state == STATE_DEAD        ? PLAN_DEAD
			: state == STATE_NOT_READY ? PLAN_NOT_READY
						   : PLAN_UP;
}

/* Both get the change; the table is the configuration's, thus given to the model. */
static void apply(struct run *run)
{
	struct model_change change = { 0 };
	struct subject *subject = run->subject;

	if (!run->dirty)
		return;
	run->dirty = false;
	subject_apply(subject);
	check(subject->table_size <= MODEL_SLOTS);
	change.size = subject->table_size;
	for (unsigned i = 0; i < change.size; i++)
		change.table[i] = subject->table[i];
	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		change.slot_of[i] = subject_slot(subject, &run->clients[i]);
	for (unsigned i = 0; i < MODEL_BACKENDS; i++) {
		change.serves[i] = state_serves(run->states[i]);
		change.takes_new[i] = run->states[i] == STATE_UP && subject->inputs[i].weight;
		change.gone[i] = run->gone[i] || run->states[i] == STATE_REMOVED;
		run->gone[i] = false;
	}
	model_change(&run->model, &change);
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		struct watched *watched = &run->watched[i];

		if (watched->home != MODEL_NOBODY && !change.serves[watched->home])
			watched->established = false;
	}
}

static void finish_round(struct run *run)
{
	if (!run->looked)
		return;
	run->looked = false;
	subject_walk(run->subject);
	model_walk_end(&run->model);
}

static void walk(struct run *run)
{
	finish_round(run);
	subject_walk(run->subject);
	model_walk_look(&run->model);
	model_walk_end(&run->model);
	if (datapath_flow_stats(run->subject->datapath).slots_in_transition !=
	    model_tracking(&run->model))
		run->wrong = "not as many slots are in transition as in the model";
	tell(run, "  round of the walk: %llu slots in transition, the model says %u\n",
	     datapath_flow_stats(run->subject->datapath).slots_in_transition,
	     model_tracking(&run->model));
}

static void pass_time(struct run *run, unsigned seconds)
{
	apply(run);
	finish_round(run);
	subject_pass_time(run->subject, seconds);
	run->model.now += seconds;
	tell(run, "  %u seconds pass\n", seconds);
	walk(run);
}

/* What is promised to a connection, whatever the slot says. */
static void watch(struct run *run, unsigned flow, enum model_packet packet, int backend)
{
	struct watched *watched = &run->watched[flow];
	const struct model_rules *rules = &run->model.rules;
	bool active = run->model.now - watched->seen <= rules->times.idle;

	if (packet == MODEL_SYN && backend != MODEL_NOBODY && !run->model.takes_new[backend])
		run->wrong = "a new connection went to a backend that takes none";
	if (packet != MODEL_SYN && watched->established && active && backend != watched->home)
		run->wrong = "an established connection was taken from its backend";
	watched->ended = packet == MODEL_END || (watched->ended && packet != MODEL_SYN);
	/* With its second packet; a UDP flow with the first. */
	watched->established = packet == MODEL_DATA && !watched->ended && backend != MODEL_NOBODY &&
			       (!rules->tcp || (active && backend == watched->home));
	watched->home = backend;
	watched->seen = run->model.now;
}

static void send_packet(struct run *run, unsigned flow, enum model_packet packet)
{
	static const char *const packets[] = { "SYN", "data", "FIN or RST" };
	static const enum tcp_flags flags[] = { TCP_SYN, TCP_ACK, TCP_FIN | TCP_ACK };
	int other, expected, backend;

	apply(run);
	expected = model_packet(&run->model, flow, packet, &other);
	backend = subject_packet(run->subject, &run->clients[flow],
				 packet == MODEL_END && flow & 1 ? TCP_RST : flags[packet]);
	tell(run, "  %s of flow %u (slot %u): went to %d, the model says %d\n",
	     run->model.rules.tcp ? packets[packet] : "packet", flow,
	     run->model.tables[0].slot_of[flow], backend, expected);
	if (expected == MODEL_ANYBODY ? backend == MODEL_NOBODY || !run->model.takes_new[backend]
				      : backend != expected && backend != other)
		run->wrong = "a packet went elsewhere than the model says";
	watch(run, flow, packet, backend);
	model_went(&run->model, flow, packet, backend);
}

static void keep_alive(struct run *run, unsigned flows)
{
	unsigned step = (run->model.rules.times.idle - 1) / TICK * TICK;

	for (unsigned round = 0; round < 3 && !run->wrong; round++) {
		for (unsigned i = 0; i < MODEL_FLOWS && !run->wrong; i++)
			if (flows >> i % 16 & 1)
				send_packet(run, i, MODEL_DATA);
		if (!run->wrong)
			pass_time(run, step);
	}
}

static void change_state(struct run *run, const struct event *event)
{
	/* A backend that comes back after a removal that nobody has applied was never away. */
	if (event->what == STATE_REMOVED && run->states[event->who] != STATE_REMOVED &&
	    !event->later)
		run->gone[event->who] = true;
	run->states[event->who] = event->what;
	set_backend(run, event->who, event->what);
	tell(run, "  backend %u is %s%s\n", event->who, state_names[event->what],
	     event->later ? ", at the next change" : "");
}

static void look(struct run *run)
{
	apply(run);
	/* What has become due meanwhile is settled before packets come between. */
	walk(run);
	(void)subject_walk_step(run->subject);
	(void)subject_walk_step(run->subject);
	model_walk_look(&run->model);
	run->looked = true;
	tell(run, "  the walk has looked at all flows\n");
}

static void run_event(struct run *run, const struct event *event)
{
	switch (event->kind) {
	case EVENT_PACKET:
		send_packet(run, event->who, event->what);
		return;
	case EVENT_STATE:
		change_state(run, event);
		break;
	case EVENT_WEIGHT:
		if (!run->subject->present[event->who])
			return;
		run->subject->inputs[event->who].weight = weights[event->what];
		run->subject->backends[event->who].weight = weights[event->what];
		tell(run, "  backend %u weighs %u\n", event->who, weights[event->what]);
		break;
	case EVENT_RESIZE:
		if (!run->model.rules.hashed || run->model.n_tables == 2)
			return;
		run->subject->service.table_size = primes[event->what];
		tell(run, "  the table gets %u slots\n", primes[event->what]);
		break;
	case EVENT_TIME:
		pass_time(run, event->what * TICK);
		return;
	case EVENT_LIVE:
		keep_alive(run, event->what);
		return;
	case EVENT_LOOK:
		look(run);
		return;
	case EVENT_GRACE:
		apply(run);
		walk(run);
		subject_grace(run->subject);
		tell(run, "  nobody reads what was retired\n");
		return;
	case EVENT_RESTART:
		apply(run);
		finish_round(run);
		subject_restart(run->subject);
		model_restart(&run->model);
		run->dirty = true;
		tell(run, "  another daemon takes over\n");
		break;
	}
	run->dirty = true;
	if (!event->later)
		apply(run);
}

static void begin(struct run *run)
{
	const struct sequence *sequence = run->sequence;
	struct subject *subject = run->subject;
	const struct datapath_timeouts timeouts = {
		.tcp_idle_ms = (unsigned)(sequence->rules.times.idle * SECOND_MS),
		.udp_idle_ms = 30000,
	};

	subject_set_timeouts(subject, &timeouts);
	subject_service(subject, sequence->rules.tcp ? IPPROTO_TCP : IPPROTO_UDP, sequence->family,
			sequence->scheduler);
	subject->service.forward = sequence->forward;
	subject->service.table_size = primes[sequence->size];
	subject->service.affinity.timeout_ms = (unsigned)(sequence->rules.affinity * SECOND_MS);
	model_begin(&run->model, &sequence->rules);
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		run->model.client_of[i] = i % CLIENTS;
		run->clients[i] = (struct client){ .address = 7 * (i % CLIENTS),
						   .port = (unsigned short)(2000 + i) };
		run->watched[i].home = MODEL_NOBODY;
	}
	for (unsigned i = 0; i < MODEL_BACKENDS; i++) {
		run->states[i] = i < sequence->n_backends ? STATE_UP : STATE_REMOVED;
		set_backend(run, i, run->states[i]);
	}
	run->dirty = true;
	apply(run);
}

/* What is wrong with it, or NULL. */
static const char *run_sequence(struct subject *subject, const struct sequence *sequence,
				bool telling)
{
	struct run run = { .subject = subject, .sequence = sequence, .tell = telling };

	begin(&run);
	for (unsigned i = 0; i < sequence->n_events && !run.wrong; i++)
		run_event(&run, &sequence->events[i]);
	if (!run.wrong) {
		apply(&run);
		walk(&run);
	}
	finish_round(&run);
	subject_remove(subject);
	subject_walk(subject);
	return run.wrong;
}

/* ---- what goes wrong ------------------------------------------------------- */

static void leave_out(struct sequence *sequence, unsigned from, unsigned n)
{
	memmove(&sequence->events[from], &sequence->events[from + n],
		(sequence->n_events - from - n) * sizeof(sequence->events[0]));
	sequence->n_events -= n;
}

/* Leaves out events as long as the rest still goes wrong. */
static void shorten(struct subject *subject, struct sequence *sequence)
{
	for (unsigned n = sequence->n_events / 2; n; n = n > 1 ? n / 2 : 0) {
		for (unsigned from = 0; from + n <= sequence->n_events;) {
			struct sequence shorter = *sequence;

			leave_out(&shorter, from, n);
			if (run_sequence(subject, &shorter, false)) {
				*sequence = shorter;
				if (n == 1)
					from = 0;
			} else {
				from++;
			}
		}
	}
}

static void __attribute__((noreturn))
report(struct subject *subject, struct sequence *sequence, unsigned number)
{
	static const char *const schedulers[] = { "maglev", "source-hash", "round-robin",
						  "least-connections", "random" };
	const char *wrong;

	(void)printf("sequence %u goes wrong; the shortest like it:\n", number);
	shorten(subject, sequence);
	(void)printf("  %s, %s%s, IPv%d, %u slots, %u backends, idle timeout %u\n",
		     sequence->rules.tcp ? "TCP" : "UDP", schedulers[sequence->scheduler],
		     sequence->rules.affinity ? " with affinity" : "", sequence->family,
		     primes[sequence->size], sequence->n_backends, sequence->rules.times.idle);
	wrong = run_sequence(subject, sequence, true);
	subject_close(subject);
	fail("sequence %u: %s", number, wrong ?: "it did not go wrong again");
}

void sequences_run(struct subject *subject, uint64_t seed, unsigned first, unsigned n)
{
	struct sequence sequence;

	for (unsigned i = first; i < first + n; i++) {
		random_sequence(seed, i, &sequence);
		if (run_sequence(subject, &sequence, false))
			report(subject, &sequence, i);
	}
}
