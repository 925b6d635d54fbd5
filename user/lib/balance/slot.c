// SPDX-License-Identifier: BSD-2-Clause
#include "lib/balance/slot.h"

static bool lives(unsigned index, slot_serves_fn *serves, const void *arg)
{
	return index != SL_NO_BACKEND && serves(arg, index);
}

uint64_t slot_move(uint64_t slot, unsigned next, slot_serves_fn *serves, const void *arg)
{
	unsigned current = sl_slot_current(slot), previous = sl_slot_previous(slot);
	uint64_t marks = slot & (SL_SLOT_TRACKING | SL_SLOT_FRESH);

	if (!(slot & SL_SLOT_TRACKING)) {
		if (next == current)
			return slot;
		/* Of a dead backend nobody is left to protect: it stays settled. */
		if (!lives(current, serves, arg))
			return sl_slot(next, SL_NO_BACKEND, 0);
		return sl_slot(next, current, SL_SLOT_TRACKING | SL_SLOT_FRESH);
	}
	/* The mark stays: others may be pinned elsewhere. A slot without `previous` goes
	 * by a table that its own has replaced, and goes on to.
	 */
	if (previous != SL_NO_BACKEND && !lives(previous, serves, arg))
		previous = next;
	if (next != current)
		marks |= SL_SLOT_FRESH;
	return sl_slot(next, previous, marks);
}

uint64_t slot_settle(uint64_t slot)
{
	return sl_slot(sl_slot_current(slot), SL_NO_BACKEND, 0);
}
