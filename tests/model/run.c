// SPDX-License-Identifier: BSD-2-Clause
#include "run.h"

#include <netinet/in.h>
#include <stdarg.h>

#include "sluice/second.h"

#define CLIENTS   8 /* addresses; the flows are shared out among them */
#define SECOND_MS ((double)sl_second_ns(1) / 1e6)

static const char *const state_names[] = { "up",   "draining", "not ready",
					   "dead", "disabled", "removed" };

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
	FILE *told; /* where each event is told; NULL: nowhere */
	struct model model;
	enum state states[MODEL_BACKENDS];
	bool gone[MODEL_BACKENDS]; /* since the last change */
	bool looked, dirty;
	bool counted; /* the program's counts of live connections are right */
	struct watched watched[MODEL_FLOWS];
	struct client clients[MODEL_FLOWS];
	const char *wrong; /* NULL: nothing yet */
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

/* Live connections of each backend: those that are known and have not ended. */
static void check_counts(struct run *run)
{
	unsigned live[MODEL_BACKENDS] = {};

	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		const struct model_flow *flow = &run->model.flows[i];

		if (flow->known && !flow->ended)
			live[flow->backend]++;
	}
	for (unsigned i = 0; i < MODEL_BACKENDS; i++) {
		if (!run->subject->present[i] || subject_live(run->subject, i) == live[i])
			continue;
		tell(run, "  backend %u has %u live connections, the model says %u\n", i,
		     subject_live(run->subject, i), live[i]);
		run->wrong = "live connections are not counted as in the model";
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
	if (run->counted)
		check_counts(run);
	subject_walk(run->subject);
	model_walk_look(&run->model);
	check_counts(run);
	run->counted = true;
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
	};

	subject_set_timeouts(subject, &timeouts);
	subject_service(subject, sequence->rules.tcp ? IPPROTO_TCP : IPPROTO_UDP, sequence->family,
			sequence->scheduler);
	subject->service.forward = sequence->forward;
	subject->service.table_size = event_primes[sequence->size];
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

const char *run_sequence(struct subject *subject, const struct sequence *sequence, FILE *told)
{
	struct run run = { .subject = subject, .sequence = sequence, .told = told };

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
