/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random sequences of changes, packets and time, of which the model and the
 * program must think alike.
 */
#ifndef SLUICE_TESTS_MODEL_SEQUENCE_H
#define SLUICE_TESTS_MODEL_SEQUENCE_H

#include <stdint.h>

#include "subject.h"

/* Runs sequences first to first + n - 1 of this seed. The first that goes wrong is
 * made as short as it goes, told, and ends the process.
 */
void sequences_run(struct subject *subject, uint64_t seed, unsigned first, unsigned n);

#endif
