// SPDX-License-Identifier: BSD-2-Clause
#include "run.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <time.h>

#include "daemon/clock.h"
#include "sluice/second.h"

#define AFFINITY  45 /* SL_SECONDs */
#define CLIENTS   8  /* addresses; the flows are shared out among them */
#define SECOND_MS ((double)sl_second_ns(1) / 1e6)

static const char *const state_names[] = { "up",   "draining", "not ready",
					   "dead", "disabled", "removed" };

/* What is known of a connection without the model. */
struct watched {
	int home; /* where its packets went */
	bool established;
	bool ended; /* RST was said and noted, and nothing since */
	unsigned seen, idle;
	bool forged;     /* packets were sent in its name: an entry may hold a SYN that is new */
	unsigned number; /* of the connection on this port */
};

/* How far the round of the walk has come. */
enum round { ROUND_ENDED, ROUND_BEGUN /* has looked at the handshakes */, ROUND_LOOKED };

struct run {
	struct subject *subject;
	const struct sequence *sequence;
	FILE *told; /* where each event is told; NULL: nowhere */
	struct model model;
	enum state states[MODEL_BACKENDS];
	bool gone[MODEL_BACKENDS]; /* since the last change */
	enum round round;
	bool dirty;
	enum sl_scheduler scheduler; /* that is applied */
	bool counted;                /* the program's counts of live connections are right */
	struct watched watched[MODEL_FLOWS];
	struct client clients[MODEL_FLOWS];
	unsigned n_numbers; /* of connections, and of what is forged */
	const char *wrong;  /* NULL: nothing yet */
};

static void __attribute__((format(printf, 2, 3))) tell(const struct run *run, const char *format,
						       ...)
{
	va_list args;

	if (!run->told)
		return;
	va_start(args, format);
	(void)vfprintf(run->told, format, args);
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
	input->admin_state = state == STATE_DRAIN      ? ADMIN_DRAIN
			     : state == STATE_DISABLED ? ADMIN_DISABLED
						       : ADMIN_UP;
	input->health = state == STATE_DEAD        ? PLAN_DEAD
			: state == STATE_NOT_READY ? PLAN_NOT_READY
						   : PLAN_UP;
}

/* What the configuration makes of the sequence's rules. */
static struct model_rules rules_of(const struct run *run)
{
	const struct service_config *service = &run->subject->service;
	struct model_rules rules = run->sequence->rules;

	rules.hashed = !sl_scheduler_tracks(service->scheduler);
	rules.affinity = service->affinity.timeout_ms ? AFFINITY : 0;
	rules.tracked = !rules.hashed || rules.affinity;
	return rules;
}

static unsigned idle_of(const struct run *run)
{
	const struct model_rules *rules = &run->model.rules;

	return rules->tracked ? rules->times.tracked : rules->times.idle;
}

/* Whether a connection has been silent for no longer than its last packet's rules, and those of
 * now, allow.
 */
static bool is_active(const struct run *run, const struct watched *watched)
{
	unsigned silent = run->model.now - watched->seen;

	return silent <= watched->idle && silent <= idle_of(run);
}

/* Nothing is promised to a connection that has been silent for too long, not even by other rules
 * that come later.
 */
static void forget_silent(struct run *run)
{
	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		run->watched[i].established &= is_active(run, &run->watched[i]);
}

/* Both get the change; the table is the configuration's, thus given to the model. */
static void apply(struct run *run)
{
	struct model_change change = {};
	struct subject *subject = run->subject;

	if (!run->dirty)
		return;
	run->dirty = false;
	subject_apply(subject);
	check(subject->table_size <= MODEL_SLOTS);
	change.rules = rules_of(run);
	change.other_scheduler = subject->service.scheduler != run->scheduler;
	run->scheduler = subject->service.scheduler;
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
	forget_silent(run);
}

/* Live connections of each backend: those that are known and have not ended. */
static void check_counts(struct run *run)
{
	for (unsigned i = 0; i < MODEL_BACKENDS; i++) {
		unsigned live = model_live(&run->model, (int)i);

		if (!run->subject->present[i] || subject_live(run->subject, i) == live)
			continue;
		tell(run, "  backend %u has %u live connections, the model says %u\n", i,
		     subject_live(run->subject, i), live);
		run->wrong = "live connections are not counted as in the model";
	}
}

static void end_round(struct run *run)
{
	subject_walk(run->subject);
	if (run->round == ROUND_BEGUN)
		model_walk_look(&run->model);
	check_counts(run);
	run->counted = true;
	model_walk_end(&run->model);
	run->round = ROUND_ENDED;
}

static void begin_round(struct run *run, enum round round)
{
	run->round = round;
	model_walk_begin(&run->model);
	if (round == ROUND_LOOKED)
		model_walk_look(&run->model);
}

static void finish_round(struct run *run)
{
	if (run->round == ROUND_ENDED)
		return;
	end_round(run);
	tell(run, "  the round of the walk has ended\n");
}

static void walk(struct run *run)
{
	finish_round(run);
	if (run->counted)
		check_counts(run);
	begin_round(run, ROUND_BEGUN);
	end_round(run);
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
	subject_pass_time(run->subject, seconds);
	run->model.now += seconds;
	forget_silent(run);
	tell(run, "  %u seconds pass\n", seconds);
}

static bool is_tracked(const struct run *run, unsigned flow)
{
	const struct model_table *table = &run->model.tables[0];

	return run->model.rules.tracked || table->slots[table->slot_of[flow]].tracking;
}

/* What is promised to a connection, whatever the slot says, and whatever others forge. */
static void watch(struct run *run, unsigned flow, enum sent sent, int backend)
{
	struct watched *watched = &run->watched[flow];
	const struct model_rules *rules = &run->model.rules;
	unsigned silent = run->model.now - watched->seen;
	bool active = is_active(run, watched), stays = backend == watched->home;
	bool known = silent <= idle_of(run) || silent <= rules->times.handshake;

	if (sent == SENT_SYN && backend != MODEL_NOBODY && !run->model.takes_new[backend] &&
	    !watched->forged && !(stays && known && !watched->ended))
		run->wrong = "a new connection went to a backend that takes none";
	if (sent != SENT_SYN && watched->established && active && !stays)
		run->wrong = "an established connection was taken from its backend";
	watched->ended = sent == SENT_RST && is_tracked(run, flow);
	/* With its second packet; a UDP flow with the first. */
	watched->established = sent != SENT_SYN && sent != SENT_RST && backend != MODEL_NOBODY &&
			       (!rules->tcp || (active && stays));
	watched->home = backend;
	watched->seen = run->model.now;
	watched->idle = idle_of(run);
}

static bool is_forged(enum sent sent)
{
	return sent >= SENT_FORGED_SYN && sent <= SENT_FORGED_RST;
}

/* What the client's packets, and those that are sent in its name, are to the model. */
static const struct {
	const char *name;
	enum model_kind kind;
	enum tcp_flags flags;
	unsigned payload, before;
} sorts[] = {
	[SENT_SYN] = { "SYN", MODEL_SYN, TCP_SYN, 0, 0 },
	[SENT_DATA] = { "data", MODEL_DATA, TCP_ACK, 1, 0 },
	[SENT_AGAIN] = { "data sent again", MODEL_AGAIN, TCP_ACK, 1, 5 },
	[SENT_ACK] = { "ACK", MODEL_ACK, TCP_ACK, 0, 0 },
	[SENT_FIN] = { "FIN", MODEL_FIN, TCP_FIN | TCP_ACK, 0, 0 },
	[SENT_RST] = { "RST", MODEL_RST, TCP_RST, 0, 0 },
	[SENT_FORGED_SYN] = { "forged SYN", MODEL_SYN, TCP_SYN, 0, 0 },
	[SENT_FORGED_ACK] = { "forged ACK", MODEL_ACK, TCP_ACK, 0, 0 },
	[SENT_FORGED_FIN] = { "forged FIN", MODEL_FIN, TCP_FIN | TCP_ACK, 0, 0 },
	[SENT_FORGED_RST] = { "forged RST", MODEL_RST, TCP_RST, 0, 0 },
};

/* Numbers of two connections are further apart than any two of one connection. */
#define APART (1u << 24)

/* Bytes that a connection has sent before, and less than the program takes for lost ones. */
#define SENT_BEFORE 100

/* A number that no connection on the port has had, or its own. */
static unsigned number_of(struct run *run, unsigned flow, enum sent sent)
{
	static const unsigned first = 1;
	struct watched *watched = &run->watched[flow];

	if (sent == SENT_SYN || is_forged(sent))
		run->n_numbers++;
	if (sent == SENT_SYN)
		watched->number = first + run->n_numbers;
	return is_forged(sent) ? first + run->n_numbers : watched->number;
}

static void send_packet(struct run *run, unsigned flow, enum sent sent)
{
	struct model_packet packet = { .kind = sorts[sent].kind };
	struct segment segment = { .flags = sorts[sent].flags, .payload = sorts[sent].payload };
	int other, expected, backend;

	apply(run);
	packet.number = number_of(run, flow, sent);
	segment.number = packet.number * APART +
			 (packet.kind == MODEL_SYN ? 0 : SENT_BEFORE - sorts[sent].before);
	expected = model_packet(&run->model, flow, &packet, &other);
	backend = subject_segment(run->subject, &run->clients[flow], &segment);
	tell(run, "  %s of flow %u (slot %u): went to %d, the model says %d\n",
	     run->model.rules.tcp ? sorts[sent].name : "packet", flow,
	     run->model.tables[0].slot_of[flow], backend, expected);
	if (expected == MODEL_ANYBODY ? backend == MODEL_NOBODY || !run->model.takes_new[backend]
				      : backend != expected && backend != other)
		run->wrong = "a packet went elsewhere than the model says";
	if (is_forged(sent))
		run->watched[flow].forged = true;
	else
		watch(run, flow, sent, backend);
	model_went(&run->model, flow, &packet, backend);
}

/* The backend that the flow's packets go to sends its client a RST, which passes by the program
 * in nat alone.
 */
static void reset_by_server(struct run *run, unsigned flow)
{
	int home = run->watched[flow].home;

	apply(run);
	if (run->sequence->forward != SL_FORWARD_NAT || home == MODEL_NOBODY ||
	    !run->model.serves[home])
		return;
	subject_reply(run->subject, (unsigned)home, &run->clients[flow], TCP_RST);
	model_server_reset(&run->model, flow, home);
	run->watched[flow].established = false;
	run->watched[flow].ended = true;
	tell(run, "  RST of backend %d to flow %u\n", home, flow);
}

static void keep_alive(struct run *run, unsigned flows)
{
	unsigned step = run->model.rules.times.idle;

	for (unsigned round = 0; round < 3 && !run->wrong; round++) {
		for (unsigned i = 0; i < MODEL_FLOWS && !run->wrong; i++)
			if (flows >> i % 16 & 1)
				send_packet(run, i, SENT_DATA);
		if (!run->wrong) {
			pass_time(run, step);
			walk(run);
		}
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

static void look(struct run *run, enum round round)
{
	apply(run);
	/* What has become due meanwhile is settled before packets come between. */
	walk(run);
	(void)subject_walk_step(run->subject);
	if (round == ROUND_LOOKED)
		(void)subject_walk_step(run->subject);
	begin_round(run, round);
	tell(run, "  the walk has looked at all %s\n",
	     round == ROUND_LOOKED ? "flows" : "handshakes");
}

static void switch_affinity(struct run *run, bool on)
{
	run->subject->service.affinity.timeout_ms = on ? (unsigned)(AFFINITY * SECOND_MS) : 0;
	tell(run, "  affinity is %s\n", on ? "on" : "off");
}

static void run_event(struct run *run, const struct event *event)
{
	switch (event->kind) {
	case EVENT_PACKET:
		if (event->what == SENT_SERVER_RST)
			reset_by_server(run, event->who);
		else
			send_packet(run, event->who, event->what);
		return;
	case EVENT_STATE:
		change_state(run, event);
		break;
	case EVENT_WEIGHT:
		if (!run->subject->present[event->who])
			return;
		run->subject->inputs[event->who].weight = event_weights[event->what];
		run->subject->backends[event->who].weight = event_weights[event->what];
		tell(run, "  backend %u weighs %u\n", event->who, event_weights[event->what]);
		break;
	case EVENT_RESIZE:
		if (!run->model.rules.hashed || run->model.n_tables == MODEL_TABLES)
			return;
		run->subject->service.table_size = event_primes[event->what];
		tell(run, "  the table gets %u slots\n", event_primes[event->what]);
		break;
	case EVENT_SCHEDULER:
		if (run->model.n_tables == MODEL_TABLES)
			return;
		run->subject->service.scheduler = event->what;
		tell(run, "  the scheduler is %s\n", sequence_schedulers[event->what]);
		break;
	case EVENT_AFFINITY:
		switch_affinity(run, !run->subject->service.affinity.timeout_ms);
		break;
	case EVENT_TIME:
		pass_time(run, event->what);
		walk(run);
		return;
	case EVENT_PASS:
		pass_time(run, event->what);
		return;
	case EVENT_LIVE:
		keep_alive(run, event->what);
		return;
	case EVENT_LOOK:
		look(run, event->what & 1 ? ROUND_LOOKED : ROUND_BEGUN);
		return;
	case EVENT_GRACE:
		apply(run);
		finish_round(run);
		subject_grace(run->subject);
		tell(run, "  nobody reads what was retired\n");
		return;
	case EVENT_RESTART:
		apply(run);
		finish_round(run);
		subject_restart(run->subject);
		model_restart(&run->model);
		run->counted = false;
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
		.tracked_idle_ms = (unsigned)(sequence->rules.times.tracked * SECOND_MS),
	};
	struct model_rules rules;

	subject_set_timeouts(subject, &timeouts);
	subject_service(subject, sequence->rules.tcp ? IPPROTO_TCP : IPPROTO_UDP, sequence->family,
			sequence->scheduler);
	subject->service.forward = sequence->forward;
	subject->service.table_size = event_primes[sequence->size];
	switch_affinity(run, sequence->affinity);
	run->scheduler = sequence->scheduler;
	rules = rules_of(run);
	model_begin(&run->model, &rules);
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

static const char *run_once(struct subject *subject, const struct sequence *sequence, FILE *told)
{
	struct run run = { .subject = subject, .sequence = sequence, .told = told };

	begin(&run);
	for (unsigned i = 0; i < sequence->n_events && !run.wrong; i++)
		run_event(&run, &sequence->events[i]);
	if (!run.wrong) {
		apply(&run);
		walk(&run);
	}
	if (run.round != ROUND_ENDED)
		subject_walk(subject);
	subject_remove(subject);
	subject_walk(subject);
	return run.wrong;
}

/* The second in which the program sees the packets of now. Its clock is as coarse as the
 * kernel's ticks: just behind the end of a second, this waits for it.
 */
static unsigned program_second(void)
{
	struct timespec coarse;

	do
		(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
	while (sl_second((__u64)coarse.tv_sec * 1000000000 + (__u64)coarse.tv_nsec) !=
	       clock_second());
	return clock_second();
}

/* Time passes by the sequence's events alone: a run in which the clock moved on by itself says
 * nothing, and is begun anew.
 */
const char *run_sequence(struct subject *subject, const struct sequence *sequence, FILE *told)
{
	const char *wrong;
	unsigned began;

	do {
		if (told)
			rewind(told);
		began = program_second();
		wrong = run_once(subject, sequence, told);
	} while (clock_second() != began);
	return wrong;
}
