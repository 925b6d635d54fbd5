/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The responder's clock: CLOCK_MONOTONIC, by which the program charges its buckets.
 */
#ifndef SLUICE_RESPONDER_CLOCK_H
#define SLUICE_RESPONDER_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ns(void);

#endif
