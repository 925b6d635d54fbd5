/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arithmetic that the algorithms share: ticks, units, and what bounds them. Pure.
 */
#ifndef SLUICE_LIB_LIMIT_TICKS_H
#define SLUICE_LIB_LIMIT_TICKS_H

#include "sluice/gcra.h"

#define TICKS_PER_SECOND (1000000000ULL << SL_TICK_SHIFT)
#define TICKS_PER_NS     (1ULL << SL_TICK_SHIFT)

static inline unsigned long long at_least(unsigned long long value, unsigned long long least)
{
	return value < least ? least : value;
}

static inline unsigned long long at_most(unsigned long long value, unsigned long long most)
{
	return value > most ? most : value;
}

/* Nanoseconds, rounded up. */
static inline unsigned long long whole_ns(unsigned long long ticks)
{
	return ticks / TICKS_PER_NS + (ticks % TICKS_PER_NS != 0);
}

#endif
