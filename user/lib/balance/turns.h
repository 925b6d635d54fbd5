/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Turns in proportion to weights, spread out: in round r a member has a turn
 * where r * weight / heaviest passes a whole number. The heaviest has one in
 * every round, one of half its weight in every other. After `heaviest` rounds
 * each has had exactly as many turns as its weight.
 */
#ifndef SLUICE_LIB_BALANCE_TURNS_H
#define SLUICE_LIB_BALANCE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool turns_has(uint64_t round, uint64_t weight, uint64_t heaviest)
{
	return (round + 1) * weight / heaviest != round * weight / heaviest;
}

#endif
