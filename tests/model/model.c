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
	return backend != MODEL_NOBODY && model->serves[backend];
}

static bool takes_new(const struct model *model, int backend)
{
	return backend != MODEL_NOBODY && model->takes_new[backend];
}

static void move_slot(const struct model *model, struct model_slot *slot, int next)
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
			slot->began = slot->changed = model->now;
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
		slot->changed = model->now;
	slot->current = next;
}

/* "Where a reload changes a table's size, or the scheduler, the service gets another
 * table. If the scheduler of the old table hashes, the old table stays as the source of
 * previous until all slots of the new table have settled."
 */
static void replace_table(struct model *model, const struct model_change *change)
{
	bool begun = model->n_tables != 0;

	/* Where every flow is known, or none can be yet, no flow belongs to the old table. */
	if (begun && model->rules.hashed) {
		assert(model->n_tables < MODEL_TABLES);
		memmove(&model->tables[1], &model->tables[0],
			model->n_tables * sizeof(model->tables[0]));
		model->n_tables++;
	} else {
		model->n_tables = 1;
	}
	model->tables[0] = (struct model_table){ .size = change->size };
	memcpy(model->tables[0].slot_of, change->slot_of, sizeof(change->slot_of));
	for (unsigned i = 0; i < change->size; i++)
		model->tables[0].slots[i] = (struct model_slot){
			.tracking = begun && model->rules.hashed,
			.current = change->table[i],
			.previous = MODEL_NOBODY,
			.began = model->now,
			.changed = model->now,
		};
}

/* Nothing leads to a backend that is gone, even if one like it comes later. */
static void forget_backend(struct model *model, int backend)
{
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		if (model->flows[i].backend == backend)
			model->flows[i].known = false;
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
	if (!model->n_tables || model->tables[0].size != change->size) {
		replace_table(model, change);
		purge_tables(model);
		return;
	}
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

/* "A hit means that backend, if it can still serve. A SYN that hits an entry whose
 * backend takes no new connections is a new connection on a reused port; so is a SYN
 * that hits an entry after a FIN or RST."
 */
static bool is_hit(const struct model *model, unsigned flow, enum model_packet packet)
{
	const struct model_flow *known = &model->flows[flow];

	if (!known->known || !serves(model, known->backend))
		return false;
	return packet != MODEL_SYN || (!known->ended && takes_new(model, known->backend));
}

static bool is_tracked(const struct model *model, unsigned flow)
{
	return model->rules.tracked || slot_of(model, 0, flow)->tracking;
}

/* Whether a packet of a flow that is not known may belong to an older connection.
 * "UDP has no SYN. While the slot is fresh, which is for the idle timeout of UDP after
 * its last move, a miss belongs to previous; after that a miss belongs to current."
 */
static bool is_older(const struct model *model, unsigned flow, enum model_packet packet)
{
	const struct model_slot *slot = slot_of(model, 0, flow);

	if (!slot->tracking || packet == MODEL_SYN || !serves(model, previous_of(model, flow)))
		return false;
	return model->rules.tcp || model->now - slot->changed <= model->rules.times.older;
}

int model_packet(const struct model *model, unsigned flow, enum model_packet packet, int *ret_or)
{
	const struct model_slot *slot = slot_of(model, 0, flow);
	int current = slot->current, previous;

	/* "Settled: every packet of the slot goes to current." */
	*ret_or = current;
	if (!is_tracked(model, flow))
		return current;
	*ret_or = model->flows[flow].backend;
	if (is_hit(model, flow, packet))
		return model->flows[flow].backend;
	*ret_or = current = new_backend(model, flow);
	/* "A miss and a TCP SYN mean a new connection. It goes to current." "A miss without
	 * a SYN means an older connection. It goes to previous if that backend can still
	 * serve, else to current."
	 */
	if (!is_older(model, flow, packet))
		return current;
	*ret_or = previous = previous_of(model, flow);
	/* A program that counts the timeout from the start of the transition is right, too. */
	if (!model->rules.tcp && model->now - slot->began > model->rules.times.older)
		return current;
	return previous;
}

static void pin_client(struct model *model, unsigned flow, int backend)
{
	struct model_affinity *affinity = &model->affinities[model->client_of[flow]];

	affinity->backend = backend;
	affinity->expires = model->now + model->rules.affinity;
}

/* "Settled: no flow entry is read or written." In transition: "it is tracked". */
void model_went(struct model *model, unsigned flow, enum model_packet packet, int backend)
{
	struct model_flow *known = &model->flows[flow];
	bool hit = is_hit(model, flow, packet);

	if (!is_tracked(model, flow) || backend == MODEL_NOBODY)
		return;
	if (!hit) {
		if (!is_older(model, flow, packet) || backend != previous_of(model, flow))
			pin_client(model, flow, backend);
		*known = (struct model_flow){ .known = true,
					      .backend = backend,
					      .handshake = packet == MODEL_SYN };
	}
	known->handshake &= packet == MODEL_SYN;
	known->ended |= packet == MODEL_END;
	known->seen = model->now;
}

static unsigned minimum(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool is_live(const struct model *model, const struct model_flow *flow)
{
	const struct model_times *times = &model->rules.times;
	unsigned timeout = times->idle;

	if (flow->ended)
		timeout = minimum(timeout, times->ended);
	if (flow->handshake)
		timeout = minimum(timeout, times->handshake);
	return model->now - flow->seen <= timeout;
}

void model_walk_look(struct model *model)
{
	struct model_table *table = &model->tables[0];

	for (unsigned i = 0; i < table->size; i++)
		table->slots[i].held = false;
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		struct model_flow *flow = &model->flows[i];
		struct model_slot *slot = &table->slots[table->slot_of[i]];

		if (!flow->known)
			continue;
		flow->known = is_tracked(model, i) && serves(model, flow->backend) &&
			      is_live(model, flow);
		if (flow->known && flow->backend != slot->current)
			slot->held = true;
	}
}

/* "A slot settles when two things hold: its last change is longer ago than the idle
 * timeout; and no flow that was seen within that timeout is pinned to another backend
 * than current."
 */
void model_walk_end(struct model *model)
{
	struct model_table *table = &model->tables[0];

	for (unsigned i = 0; i < MODEL_FLOWS; i++)
		if (!serves(model, model->affinities[i].backend))
			model->affinities[i].backend = MODEL_NOBODY;
	for (unsigned i = 0; i < table->size; i++) {
		struct model_slot *slot = &table->slots[i];

		if (slot->tracking && !slot->held &&
		    model->now - slot->changed > model->rules.times.idle)
			slot->tracking = false;
	}
	if (!model_tracking(model))
		model->n_tables = 1;
}

void model_restart(struct model *model)
{
	for (unsigned i = 0; i < MODEL_FLOWS; i++) {
		model->flows[i].known &= serves(model, model->flows[i].backend);
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
