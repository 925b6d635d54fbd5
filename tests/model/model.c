// SPDX-License-Identifier: BSD-2-Clause
/* A quotation precedes each rule: the sentence of docs/architecture.md, Slots and
 * transition, that the rule is made from.
 */
#include "model.h"

#include <assert.h>
#include <string.h>

void model_begin(struct model *model, const struct model_rules *rules)
{
	*model = (struct model){ .rules = *rules };
	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		model->affinities[i].backend = MODEL_NOBODY;
}

static bool serves(const struct model *model, int backend)
{
	return backend >= 0 && model->serves[backend];
}

static bool takes_new(const struct model *model, int backend)
{
	return backend >= 0 && model->takes_new[backend];
}

static void change_slot(struct model *model, struct model_slot *slot)
{
	slot->changed = model->now;
	slot->fresh = slot->recent = true;
	model->fresh_until = model->now + model->rules.times.older;
}

static void move_slot(struct model *model, struct model_slot *slot, int next)
{
	if (!slot->tracking) {
		if (next == slot->current)
			return;
		/* "A backend that is dead loses its slots at once. A settled slot that moves
		 * away from a dead backend stays settled."
		 */
		if (serves(model, slot->current)) {
			slot->tracking = true;
			slot->previous = slot->current;
			change_slot(model, slot);
		}
		slot->current = next;
		return;
	}
	/* "A slot that moves again while in transition keeps its previous. If that backend
	 * dies, previous becomes current, and the mark stays."
	 */
	if (slot->previous != MODEL_NOBODY && !serves(model, slot->previous))
		slot->previous = next;
	if (next != slot->current)
		change_slot(model, slot);
	slot->current = next;
}

/* "Where a reload changes a table's size, or the scheduler, the service gets another
 * table. If the scheduler of the old table hashes, the old table stays as the source of
 * previous until all slots of the new table have settled."
 */
static void replace_table(struct model *model, const struct model_change *change)
{
	bool begun = model->n_tables != 0, tracking;

	if (begun && model->rules.hashed) {
		assert(model->n_tables < MODEL_TABLES);
		memmove(&model->tables[1], &model->tables[0],
			model->n_tables * sizeof(model->tables[0]));
		model->n_tables++;
	}
	if (!begun)
		model->n_tables = 1;
	/* Where every flow was known, and is, no slot says more about it. */
	tracking = begun && (change->rules.hashed || model->n_tables > 1);
	model->tables[0] = (struct model_table){ .size = change->size };
	memcpy(model->tables[0].slot_of, change->slot_of, sizeof(change->slot_of));
	for (unsigned i = 0; i < change->size; i++) {
		struct model_slot *slot = &model->tables[0].slots[i];

		*slot = (struct model_slot){
			.tracking = tracking,
			.current = change->table[i],
			.previous = MODEL_NOBODY,
		};
		if (slot->tracking)
			change_slot(model, slot);
	}
}

/* "Where a service begins or ends to track every flow, all its slots go into transition." */
static void track_slots(struct model *model)
{
	for (unsigned i = 0; i < model->tables[0].size; i++) {
		struct model_slot *slot = &model->tables[0].slots[i];

		if (slot->tracking)
			continue;
		slot->tracking = true;
		slot->previous = slot->current;
		change_slot(model, slot);
	}
}

/* Nothing leads to a backend that is gone, even if one like it comes later. */
static void forget_backend(struct model *model, int backend)
{
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		struct model_flow *flow = &model->flows[i];

		if (flow->flow.backend == backend)
			flow->flow.backend = MODEL_NOBODY;
		if (flow->begun.backend == backend)
			flow->begun.backend = MODEL_NOBODY;
		if (model->affinities[i].backend == backend)
			model->affinities[i].backend = MODEL_NOBODY;
	}
}

/* A dead backend loses its slots of the replaced tables, too. */
static void purge_tables(struct model *model)
{
	for (unsigned t = 1; t < model->n_tables; t++) {
		for (unsigned i = 0; i < model->tables[t].size; i++) {
			struct model_slot *slot = &model->tables[t].slots[i];

			/* Goes by the table before. */
			if (slot->tracking && slot->previous == MODEL_NOBODY)
				continue;
			if (!serves(model, slot->tracking ? slot->previous : slot->current))
				*slot = (struct model_slot){ .current = MODEL_NOBODY,
							     .previous = MODEL_NOBODY };
		}
	}
}

void model_change(struct model *model, const struct model_change *change)
{
	memcpy(model->serves, change->serves, sizeof(model->serves));
	memcpy(model->takes_new, change->takes_new, sizeof(model->takes_new));
	for (int i = 0; i < MODEL_BACKENDS; i++)
		if (change->gone[i])
			forget_backend(model, i);
	if (!model->n_tables || model->tables[0].size != change->size || change->other_scheduler) {
		replace_table(model, change);
		model->rules = change->rules;
		purge_tables(model);
		return;
	}
	if (model->rules.tracked != change->rules.tracked)
		track_slots(model);
	model->rules = change->rules;
	for (unsigned i = 0; i < change->size; i++) {
		if (model->rules.hashed)
			move_slot(model, &model->tables[0].slots[i], change->table[i]);
		else
			model->tables[0].slots[i].current = change->table[i];
	}
	purge_tables(model);
}

static const struct model_slot *slot_of(const struct model *model, unsigned table, unsigned flow)
{
	return &model->tables[table].slots[model->tables[table].slot_of[flow]];
}

/* The backend of an older connection. A slot that has never settled in this table has
 * its previous in the table before.
 */
static int previous_of(const struct model *model, unsigned flow)
{
	const struct model_slot *slot = slot_of(model, 0, flow);

	for (unsigned t = 1; t < model->n_tables && slot->previous == MODEL_NOBODY; t++) {
		slot = slot_of(model, t, flow);
		if (!slot->tracking)
			return slot->current;
	}
	return slot->previous;
}

/* A backend for a new connection. "affinity pins a client's address to its backend
 * for a time."
 */
static int new_backend(const struct model *model, unsigned flow)
{
	const struct model_affinity *affinity = &model->affinities[model->client_of[flow]];

	if (model->rules.affinity && takes_new(model, affinity->backend) &&
	    model->now <= affinity->expires)
		return affinity->backend;
	if (model->rules.hashed)
		return slot_of(model, 0, flow)->current;
	for (int i = 0; i < MODEL_BACKENDS; i++)
		if (model->takes_new[i])
			return MODEL_ANYBODY;
	return MODEL_NOBODY;
}

static void end_entry(struct model_entry *entry, enum model_end end)
{
	if (entry->known)
		entry->end = end;
}

/* "A SYN that hits an entry belongs to the connection of that entry. It is a new connection
 * where that one has ended, or has been silent for the idle timeout."
 */
static void expire(const struct model *model, struct model_entry *entry, unsigned timeout)
{
	if (model->now - entry->seen > timeout)
		end_entry(entry, MODEL_OVER);
}

static bool is_tracked(const struct model *model, unsigned flow)
{
	return model->rules.tracked || slot_of(model, 0, flow)->tracking;
}

/* "Its next packet, which is known by its sequence number, gives it the entry. Until then all
 * packets but SYNs belong to the connection before, or to an older one." Where every flow is
 * known, and this one has no other entry, there is none before.
 */
static bool is_begun(const struct model *model, unsigned flow, const struct model_packet *packet)
{
	const struct model_flow *known = &model->flows[flow];

	return packet->number == known->begun.number ||
	       (model->rules.tracked && !slot_of(model, 0, flow)->tracking && !known->flow.known);
}

/* "A service that tracks every flow has an idle timeout of its own." */
static unsigned idle_of(const struct model *model)
{
	return model->rules.tracked ? model->rules.times.tracked : model->rules.times.idle;
}

/* The entry that a packet hits, which *known then says; NULL: a miss. */
static struct model_entry *meet(const struct model *model, unsigned flow,
				const struct model_packet *packet, struct model_flow *known)
{
	bool syn = packet->kind == MODEL_SYN;

	if (known->flow.known && syn)
		expire(model, &known->flow, idle_of(model));
	if (known->flow.known && known->flow.end == MODEL_LIVE)
		return &known->flow;
	if (syn) {
		expire(model, &known->begun, model->rules.times.handshake);
		return known->begun.known ? &known->begun : NULL;
	}
	if (known->begun.known && is_begun(model, flow, packet)) {
		known->flow = known->begun;
		known->begun.known = false;
	}
	return known->flow.known ? &known->flow : NULL;
}

static bool has_ended(const struct model_entry *entry)
{
	return entry->end != MODEL_LIVE && entry->end != MODEL_DOUBTED;
}

static bool is_hit(const struct model *model, const struct model_entry *entry,
		   const struct model_packet *packet)
{
	return entry && serves(model, entry->backend) &&
	       (packet->kind != MODEL_SYN || !has_ended(entry));
}

/* Whether a packet of a flow that is not known may belong to an older connection.
 * "UDP has no SYN. While the slot is fresh, which is for the idle timeout of UDP after
 * its last move, a miss belongs to previous; after that a miss belongs to current." "Where
 * no daemon clears the marks, no slot is fresh when the last move of any is as old."
 */
static bool is_older(const struct model *model, unsigned flow, const struct model_packet *packet)
{
	const struct model_slot *slot = slot_of(model, 0, flow);

	if (!slot->tracking || packet->kind == MODEL_SYN ||
	    !serves(model, previous_of(model, flow)))
		return false;
	return model->rules.tcp || (slot->fresh && model->now <= model->fresh_until);
}

int model_packet(const struct model *model, unsigned flow, const struct model_packet *packet,
		 int *ret_or)
{
	const struct model_slot *slot = slot_of(model, 0, flow);
	struct model_flow known = model->flows[flow];
	const struct model_entry *entry = meet(model, flow, packet, &known);
	int current = slot->current, previous;

	/* "Settled: every packet of the slot goes to current." */
	*ret_or = current;
	if (!is_tracked(model, flow))
		return current;
	if (is_hit(model, entry, packet))
		return *ret_or = entry->backend;
	*ret_or = current = new_backend(model, flow);
	/* "A miss and a TCP SYN mean a new connection. It goes to current." "A miss without
	 * a SYN means an older connection. It goes to previous if that backend can still
	 * serve, else to current."
	 */
	if (!is_older(model, flow, packet))
		return current;
	*ret_or = previous = previous_of(model, flow);
	return previous;
}

static void pin_client(struct model *model, unsigned flow, int backend)
{
	struct model_affinity *affinity = &model->affinities[model->client_of[flow]];

	if (!model->rules.affinity)
		return;
	affinity->backend = backend;
	affinity->expires = model->now + model->rules.affinity;
}

/* "A flow that has ended is not counted as live, and lives again when its client goes on.
 * Whatever follows a RST opens it again. Behind a FIN, new data does, and whatever comes two
 * seconds later; the last acknowledgement of the client's does not."
 */
static bool goes_on(const struct model *model, const struct model_entry *entry,
		    const struct model_packet *packet)
{
	if (entry->end != MODEL_FINISHED || model->now - entry->seen >= model->rules.times.last_ack)
		return true;
	return packet->kind == MODEL_DATA ||
	       (packet->kind == MODEL_AGAIN && packet->number != entry->number);
}

/* "For three seconds behind a SYN on its port, no packet opens it." */
static bool is_contended(const struct model *model, const struct model_entry *begun)
{
	return begun->known && !has_ended(begun) &&
	       model->now - begun->seen < model->rules.times.follow_up;
}

static void touch(const struct model *model, const struct model_flow *known,
		  struct model_entry *entry, const struct model_packet *packet)
{
	switch (packet->kind) {
	case MODEL_SYN:
		entry->number = packet->number;
		break;
	case MODEL_FIN:
		entry->number = packet->number;
		entry->end = MODEL_FINISHED;
		break;
	case MODEL_RST:
		entry->end = MODEL_RESET;
		break;
	case MODEL_DATA:
	case MODEL_AGAIN:
	case MODEL_ACK:
		if (entry->end != MODEL_LIVE && !goes_on(model, entry, packet))
			return;
		if (entry->end != MODEL_LIVE)
			entry->end =
				is_contended(model, &known->begun) ? MODEL_DOUBTED : MODEL_LIVE;
		break;
	}
	entry->seen = model->now;
}

/* "Settled: no flow entry is read or written." In transition: "it is tracked". */
void model_went(struct model *model, unsigned flow, const struct model_packet *packet, int backend)
{
	struct model_flow *known = &model->flows[flow];
	struct model_entry *entry;

	if (!is_tracked(model, flow))
		return;
	entry = meet(model, flow, packet, known);
	if (is_hit(model, entry, packet)) {
		touch(model, known, entry, packet);
		return;
	}
	if (backend == MODEL_NOBODY)
		return;
	if (!is_older(model, flow, packet) || backend != previous_of(model, flow))
		pin_client(model, flow, backend);
	if (entry)
		end_entry(entry, MODEL_OVER);
	entry = packet->kind == MODEL_SYN ? &known->begun : &known->flow;
	*entry = (struct model_entry){ .known = true, .backend = backend, .seen = model->now };
	/* "A connection that is met without its SYN, or that begins on the port of another, counts
	 * as live with its next packet."
	 */
	if (model->rules.tcp && (packet->kind != MODEL_SYN || known->flow.known))
		entry->end = MODEL_DOUBTED;
	if (packet->kind == MODEL_SYN || packet->kind == MODEL_FIN || packet->kind == MODEL_RST)
		touch(model, known, entry, packet);
}

void model_server_reset(struct model *model, unsigned flow, int backend)
{
	struct model_flow *known = &model->flows[flow];

	if (known->flow.backend == backend)
		end_entry(&known->flow, MODEL_OVER);
	if (known->begun.backend == backend)
		end_entry(&known->begun, MODEL_OVER);
}

static bool counts(const struct model_entry *entry, int backend)
{
	return entry->known && entry->end == MODEL_LIVE && entry->backend == backend;
}

unsigned model_live(const struct model *model, int backend)
{
	unsigned live = 0;

	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		live += counts(&model->flows[i].flow, backend) +
			counts(&model->flows[i].begun, backend);
	return live;
}

static unsigned minimum(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* A round of the walk looks at an entry. */
static void look_at(struct model *model, unsigned flow, struct model_entry *entry, unsigned timeout)
{
	const struct model_times *times = &model->rules.times;
	struct model_slot *slot = &model->tables[0].slots[model->tables[0].slot_of[flow]];

	if (!entry->known)
		return;
	if (entry->end == MODEL_OVER)
		timeout = minimum(timeout, times->over);
	entry->known = is_tracked(model, flow) && serves(model, entry->backend) &&
		       model->now - entry->seen <= minimum(timeout, idle_of(model));
	if (entry->known && entry->backend != slot->current && !model->rules.tracked)
		slot->held = true;
}

void model_walk_begin(struct model *model)
{
	struct model_table *table = &model->tables[0];

	for (unsigned i = 0; i < table->size; i++) {
		struct model_slot *slot = &table->slots[i];

		slot->held = false;
		slot->recent = model->now - slot->changed <= model->rules.times.idle;
	}
	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		look_at(model, i, &model->flows[i].begun, model->rules.times.handshake);
}

void model_walk_look(struct model *model)
{
	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		look_at(model, i, &model->flows[i].flow, idle_of(model));
}

/* "A slot settles when two things hold: when a round of the walk begins, its last change is
 * longer ago than the idle timeout; and that round finds no flow that was seen within that
 * timeout and is pinned to another backend than current. Where the service tracks every flow,
 * the first is enough."
 */
void model_walk_end(struct model *model)
{
	struct model_table *table = &model->tables[0];

	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		if (!serves(model, model->affinities[i].backend))
			model->affinities[i].backend = MODEL_NOBODY;
	for (unsigned i = 0; i < table->size; i++) {
		struct model_slot *slot = &table->slots[i];

		if (model->now - slot->changed > model->rules.times.older)
			slot->fresh = false;
		if (slot->tracking && !slot->recent && !slot->held)
			slot->tracking = false;
	}
	if (!model_tracking(model))
		model->n_tables = 1;
}

void model_restart(struct model *model)
{
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		model->flows[i].flow.known &= serves(model, model->flows[i].flow.backend);
		model->flows[i].begun.known &= serves(model, model->flows[i].begun.backend);
		if (!serves(model, model->affinities[i].backend))
			model->affinities[i].backend = MODEL_NOBODY;
	}
	for (unsigned i = 0; i < model->tables[0].size; i++)
		model->tables[0].slots[i].changed = model->now;
}

unsigned model_tracking(const struct model *model)
{
	unsigned n = 0;

	for (unsigned i = 0; i < model->tables[0].size; i++)
		n += model->tables[0].slots[i].tracking;
	return n;
}
