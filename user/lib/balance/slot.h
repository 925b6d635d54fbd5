/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a slot moves to another backend without taking anybody's connection away
 * (docs/architecture.md, Slots and transition; the word itself: sluice/slot.h). Pure.
 */
#ifndef SLUICE_LIB_BALANCE_SLOT_H
#define SLUICE_LIB_BALANCE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/slot.h"

/* Whether the established connections of the backend with this index go on. */
typedef bool slot_serves_fn(const void *arg, unsigned index);

/* The word after `next` has become the backend for new connections. Asked for
 * again with the same `next`, it still answers to a `previous` that has died
 * since.
 */
uint64_t slot_move(uint64_t slot, unsigned next, slot_serves_fn *serves, const void *arg);

/* The word when every live connection is known to be with `current`. */
uint64_t slot_settle(uint64_t slot);

#endif
